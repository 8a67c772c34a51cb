import type { SpawnedUsher } from './spawn-usher.ts'

/** What the promises are tested with: traits by what a visitor did, segments mapped to one real-time destination. */
export interface WantedDefinitions<Name extends string> {
  /** `c_do == "<name>"` realizes it; `ttl` in days. */
  readonly traits: readonly { readonly name: Name; readonly ttl?: number }[]
  readonly segments: readonly { readonly name: string; readonly rule: (sids: Record<Name, number>) => string }[]
  readonly url: string
  readonly auth: object
}

export interface DefinedOverApi<Name extends string> {
  readonly dataSourceId: number
  readonly destinationId: number
  readonly sids: Record<Name, number>
  /** In the order of the segments wanted. */
  readonly segmentIds: readonly number[]
}

/** Definitions take effect within 5 s of a change; in a server this small after one. */
const IN_EFFECT_MS = 1_500

/** Makes definitions through the REST API of a running server, as its user would, and waits until they are in effect. */
export async function defineOverApi<Name extends string>(
  usher: Pick<SpawnedUsher, 'api'>,
  { traits, segments, url, auth }: WantedDefinitions<Name>,
): Promise<DefinedOverApi<Name>> {
  const { dataSourceId } = await usher.api<{ dataSourceId: number }>('POST', '/v1/datasources/', {
    name: 'partner',
    idType: 'COOKIE',
  })
  const sids = {} as Record<Name, number>
  for (const { name, ttl } of traits) {
    const trait = {
      name,
      traitRule: `c_do == "${name}"`,
      traitType: 'RULE_BASED_TRAIT',
      folderId: 0,
      dataSourceId,
      ttl,
    }
    sids[name] = (await usher.api<{ sid: number }>('POST', '/v1/traits/', trait)).sid
  }
  const { destinationId } = await usher.api<{ destinationId: number }>('POST', '/v1/destinations/', {
    name: 'receiver',
    destinationType: 'S2S',
    s2s: {
      protocol: 'https',
      delivery: 'realtime',
      format: 'aam-json',
      mode: 'durable',
      url,
      userDpid: dataSourceId,
      clientId: '1',
      auth,
    },
  })
  const segmentIds: number[] = []
  for (const { name, rule } of segments) {
    const segment = { name, segmentRule: rule(sids), folderId: 0, dataSourceId }
    const { sid } = await usher.api<{ sid: number }>('POST', '/v1/segments/', segment)
    segmentIds.push(sid)
    const mapping = { sid, traitType: 'SEGMENT', startDate: '2026-01-01' }
    await usher.api('POST', `/v1/destinations/${destinationId}/mappings/`, mapping)
  }
  await new Promise((resolve) => setTimeout(resolve, IN_EFFECT_MS))
  return { dataSourceId, destinationId, sids, segmentIds }
}
