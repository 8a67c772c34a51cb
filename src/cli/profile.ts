import type { ExplainedNode, ExplainView, ProfileView } from '../contract.ts'
import { ApiRefusalError } from '../lib/rest-client.ts'
import { UsageError } from './failure.ts'
import { type ClientOptions, findServer } from './find-server.ts'

const WHAT_AN_ID_IS = 'it is neither a device ID of 38 digits nor a data source and an ID, as 77052:hd-9f21'

/** `usher profile ID` [OPS-14]. */
export async function profile(id: string, options: ClientOptions): Promise<void> {
  // Of these an address makes something else, which the server would answer: the list, or a page that is not there.
  if (/^(\s*|\.{1,2})$/.test(id)) throw new UsageError(`${JSON.stringify(id)} is no ID: ${WHAT_AN_ID_IS}`)
  const server = findServer(options)
  try {
    const path = `/v1/profiles/${encodeURIComponent(id)}`
    const view = (await server.api.get(path)) as ProfileView
    const rules = new Map<number, ExplainView>()
    for (const { sid } of view.segments) {
      rules.set(sid, (await server.api.get(`${path}/explain?segmentId=${sid}`)) as ExplainView)
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

export function renderProfile(view: ProfileView, rules: ReadonlyMap<number, ExplainView>): string {
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
        ...renderRule(rules.get(one.sid)?.rule, 1),
      ]),
    ),
    ...section(
      'Destinations',
      view.deliveries.map(
        (one) => `${one.destinationId}  segment ${one.segment}  ${one.state}${one.at === null ? '' : ` at ${one.at}`}`,
      ),
    ),
  ].join('\n') // prettier-ignore
}

function renderRule(node: ExplainedNode | undefined, depth: number): string[] {
  if (node === undefined) return []
  const mark = node.holds ? 'yes' : 'no '
  const past =
    node.windowOperator === '>=' ? ` at least ${node.windowDays} days ago` : ` within ${node.windowDays} days`
  const window = node.windowDays == null ? '' : past
  const leaf =
    node.sid === undefined
      ? ''
      : ` ${node.sid}: ${node.count ?? 0} times${window}${node.required === undefined ? '' : `, asked for ${node.requiredOperator ?? '>='} ${node.required}`}`
  return [
    `${'  '.repeat(depth)}${mark} ${node.op}${leaf}`,
    ...(node.children ?? []).flatMap((child) => renderRule(child, depth + 1)),
  ]
}
