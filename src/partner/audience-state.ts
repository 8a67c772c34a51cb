import type { PartnerMessage } from './message-shape.ts'

/**
 * What a partner knows after all messages so far: one status for each (device, partner ID, segment), folded in the order
 * of arrival. A receiver that keeps nothing else has the right audiences, and repeats change nothing. Beyond `charactersMax`
 * of keys (default 50 million, some hundreds of MB) what was told longest ago is forgotten: a sandbox must not fill the
 * machine.
 */
export interface AudienceState {
  /** @returns what the message changed, in its order; repeats are not in it */
  apply(message: PartnerMessage): readonly AudienceChange[]
  isMember(key: AudienceKey): boolean
  /** Everything known, what was told longest ago first. */
  entries(): readonly AudienceEntry[]
  /** Partner IDs that are in a segment, each once. */
  members(segmentId: string): readonly string[]
  /** How many partner IDs are in each segment that was ever named. */
  sizes(): ReadonlyMap<string, number>
  /** Whether a partner ID is in a segment, on any device. */
  isIn(segmentId: string, partnerId: string): boolean
}

export interface AudienceKey {
  readonly deviceId: string
  readonly partnerId: string
  readonly segmentId: string
}
export interface AudienceEntry extends AudienceKey {
  readonly isMember: boolean
  readonly dateTime: string
}
export interface AudienceChange extends AudienceKey {
  readonly what: 'joined' | 'left'
}

const CHARACTERS_MAX = 50_000_000

export function createAudienceState(charactersMax = CHARACTERS_MAX): AudienceState {
  const known = new Map<string, AudienceEntry>()
  /** Segment, then partner ID, then the devices by which it is in. */
  const members = new Map<string, Map<string, Set<string>>>()
  let characters = 0
  const nameOf = ({ deviceId, partnerId, segmentId }: AudienceKey) => JSON.stringify([deviceId, partnerId, segmentId])

  const forget = (name: string) => {
    const entry = known.get(name)
    if (entry === undefined || !known.delete(name)) return
    characters -= name.length
    const audience = members.get(entry.segmentId)
    const devices = audience?.get(entry.partnerId)
    devices?.delete(entry.deviceId)
    if (devices?.size === 0) audience?.delete(entry.partnerId)
    if (audience?.size === 0) members.delete(entry.segmentId)
  }

  const remember = (entry: AudienceEntry) => {
    const name = nameOf(entry)
    // Taken out first, so that the map is in the order of the last word on each.
    forget(name)
    known.set(name, entry)
    characters += name.length
    const audience = members.get(entry.segmentId) ?? new Map<string, Set<string>>()
    members.set(entry.segmentId, audience)
    if (entry.isMember) audience.set(entry.partnerId, (audience.get(entry.partnerId) ?? new Set()).add(entry.deviceId))
    for (const oldest of known.keys()) {
      if (characters <= charactersMax) break
      forget(oldest)
    }
  }

  return {
    apply(message) {
      const changes: AudienceChange[] = []
      for (const user of message.Users) {
        for (const segment of user.Segments) {
          const key = { deviceId: user.AAM_UUID, partnerId: user.DataPartner_UUID, segmentId: segment.Segment_ID }
          const isMember = segment.Status === '1'
          const was = known.get(nameOf(key))?.isMember ?? false
          remember({ ...key, isMember, dateTime: segment.DateTime })
          if (was !== isMember) changes.push({ ...key, what: isMember ? 'joined' : 'left' })
        }
      }
      return changes
    },
    isMember: (key) => known.get(nameOf(key))?.isMember ?? false,
    entries: () => [...known.values()],
    members: (segmentId) => [...(members.get(segmentId)?.keys() ?? [])],
    sizes: () => new Map([...members].map(([segmentId, audience]) => [segmentId, audience.size])),
    isIn: (segmentId, partnerId) => members.get(segmentId)?.has(partnerId) ?? false,
  }
}
