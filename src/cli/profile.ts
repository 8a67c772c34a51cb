import { ApiRefusalError } from '../lib/rest-client.ts'
import { type ClientOptions, findServer } from './find-server.ts'

/** The parts of `GET /v1/profiles/{id}` [OPS-52] and its explanation that are shown. */
interface ProfileView {
  readonly profileId: string
  readonly kind: string
  readonly firstSeen: string
  readonly lastSeen: string
  readonly ids: readonly { readonly dataSourceId: number; readonly id: string; readonly syncedAt: string }[]
  readonly traits: readonly {
    readonly sid: number
    readonly name: string
    readonly count: number
    readonly lastRealized: string
    readonly expires: string | null
  }[]
  readonly segments: readonly {
    readonly sid: number
    readonly name: string
    readonly status: string
    readonly since: string
    readonly until?: string | null
  }[]
  readonly consent: { readonly store: boolean; readonly reason: string } | null
  readonly optOut: { readonly level: string; readonly at: string } | null
  readonly deliveries: readonly {
    readonly destinationId: number
    readonly segment: number
    readonly state: string
    readonly at: string
  }[]
}
interface RuleNode {
  readonly op: string
  readonly holds: boolean
  readonly sid?: number
  readonly count?: number
  readonly required?: number | string
  readonly windowDays?: number | null
  readonly children?: readonly RuleNode[]
}

/** `usher profile ID` [OPS-14]. */
export async function profile(id: string, options: ClientOptions): Promise<void> {
  const server = findServer(options)
  try {
    const path = `/v1/profiles/${encodeURIComponent(id)}`
    const view = (await server.api.get(path)) as ProfileView
    const rules = new Map<number, RuleNode>()
    for (const { sid } of view.segments) {
      const explained = (await server.api.get(`${path}/explain?segmentId=${sid}`)) as RuleNode & {
        readonly rule?: RuleNode
      }
      rules.set(sid, explained.rule ?? explained)
    }
    const text =
      options.json === true
        ? JSON.stringify({ ...view, explain: Object.fromEntries(rules) }, null, 2)
        : renderProfile(view, rules)
    process.stdout.write(`${text}\n`)
  } catch (error) {
    if (error instanceof ApiRefusalError && error.status === 404)
      throw new ApiRefusalError(404, error.code, `nothing is known of ${id}`)
    throw error
  } finally {
    server.close()
  }
}

export function renderProfile(view: ProfileView, rules: ReadonlyMap<number, RuleNode>): string {
  const section = (title: string, lines: readonly string[]) =>
    lines.length === 0 ? [] : ['', title, ...lines.map((line) => `  ${line}`)]
  return [
    `${view.profileId}  (${view.kind}, first seen ${view.firstSeen}, last seen ${view.lastSeen})`,
    ...(view.optOut === null
      ? []
      : [`OPTED OUT (${view.optOut.level}) since ${view.optOut.at}: nothing is collected or sent`]),
    ...(view.consent === null
      ? []
      : [`consent: ${view.consent.store ? 'may be stored' : 'may not be stored'} (${view.consent.reason})`]),
    ...section(
      'IDs',
      view.ids.map((one) => `${one.dataSourceId}  ${one.id}  synced ${one.syncedAt}`),
    ),
    ...section(
      'Traits',
      view.traits.map(
        (one) =>
          `${one.sid}  ${one.name}  ${one.count} times, last ${one.lastRealized}, expires ${one.expires ?? 'never'}`,
      ),
    ),
    ...section(
      'Segments',
      view.segments.flatMap((one) => [
        `${one.sid}  ${one.name}  ${one.status} since ${one.since}${one.until == null ? '' : ` until ${one.until}`}`,
        ...renderRule(rules.get(one.sid), 1),
      ]),
    ),
    ...section(
      'Destinations',
      view.deliveries.map((one) => `${one.destinationId}  segment ${one.segment}  ${one.state} at ${one.at}`),
    ),
  ].join('\n') // prettier-ignore
}

function renderRule(node: RuleNode | undefined, depth: number): string[] {
  if (node === undefined) return []
  const mark = node.holds ? 'yes' : 'no '
  const window = node.windowDays == null ? '' : ` within ${node.windowDays} days`
  const leaf =
    node.sid === undefined
      ? ''
      : ` ${node.sid}: ${node.count ?? 0} times${window}${node.required === undefined ? '' : `, asked for ${node.required}`}`
  return [
    `${'  '.repeat(depth)}${mark} ${node.op}${leaf}`,
    ...(node.children ?? []).flatMap((child) => renderRule(child, depth + 1)),
  ]
}
