import type { PartnerMessage } from './message-shape.ts'

/**
 * What a partner knows after all messages so far: one status for each (device, partner ID, segment), folded in the order
 * of arrival. A receiver that keeps nothing else has the right audiences, and repeats change nothing.
 */
export interface AudienceState {
  /** @returns what the message changed, in its order; repeats are not in it */
  apply(message: PartnerMessage): readonly AudienceChange[]
  isMember(key: AudienceKey): boolean
  /** Everything known, in order of first arrival. */
  entries(): readonly AudienceEntry[]
  /** Partner IDs that are in a segment. */
  members(segmentId: string): readonly string[]
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

export function createAudienceState(): AudienceState {
  const known = new Map<string, AudienceEntry>()
  const nameOf = ({ deviceId, partnerId, segmentId }: AudienceKey) => JSON.stringify([deviceId, partnerId, segmentId])
  return {
    apply(message) {
      const changes: AudienceChange[] = []
      for (const user of message.Users) {
        for (const segment of user.Segments) {
          const key = { deviceId: user.AAM_UUID, partnerId: user.DataPartner_UUID, segmentId: segment.Segment_ID }
          const isMember = segment.Status === '1'
          const was = known.get(nameOf(key))?.isMember ?? false
          known.set(nameOf(key), { ...key, isMember, dateTime: segment.DateTime })
          if (was !== isMember) changes.push({ ...key, what: isMember ? 'joined' : 'left' })
        }
      }
      return changes
    },
    isMember: (key) => known.get(nameOf(key))?.isMember ?? false,
    entries: () => [...known.values()],
    members: (segmentId) =>
      [...known.values()].filter((one) => one.segmentId === segmentId && one.isMember).map((one) => one.partnerId),
  }
}
