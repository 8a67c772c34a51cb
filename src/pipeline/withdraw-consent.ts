import { deviceOfCall } from '../identity/resolve-device.ts'
import type { CollectedCall } from '../model/collected-call.ts'
import { deviceProfileId } from '../model/ids.ts'
import { isDeliveryDenied } from '../model/profile.ts'
import { evaluateDevice } from './evaluate-device.ts'
import { runFollowUps } from './follow-ups.ts'
import { mergeFollowUps } from './merge-follow-ups.ts'
import { COMMIT_ATTEMPTS_MAX, type Parts, ProfileContendedError } from './parts.ts'
import { storedFollowUps } from './stored-follow-ups.ts'
import { readMerged } from './visitor.ts'

const NO_TRAITS = new Int32Array(0)

/**
 * A call whose consent allows no storing, and names destinations that may not be told: the device it comes from, if it is
 * known, is taken back from them [SEC-74]. Nothing else of the call is looked at, and no device is made for it. Declared
 * IDs do not count: the answer was given in one browser. On disk before it resolves [SEC-57].
 */
export async function withdrawConsent(call: CollectedCall, parts: Parts): Promise<void> {
  const deviceId = deviceOfCall(call, parts.ecids)?.deviceId ?? call.firstDeviceId
  if (deviceId === undefined) return
  const { reason, fingerprint, deniedDestinations } = call.consent
  const consent = { decidedAtMs: call.receivedAtMs, fingerprint, reason, deniedDestinations }
  for (let attempt = 1; attempt <= COMMIT_ATTEMPTS_MAX; attempt++) {
    const rulebook = parts.rulebook()
    const [before] = await parts.profiles.getMany([deviceProfileId(deviceId)])
    // Who was taken back already stays so for the reason of then: only what gave it can end it.
    if (before === undefined || deniedDestinations.every((id) => isDeliveryDenied(before.consent, id))) return
    const merged = await readMerged(parts.profiles, rulebook, before.links)
    const step = {
      before,
      draft: { ...before, consent },
      merged,
      touched: NO_TRAITS,
      seen: false,
      newLinks: [],
      optedOut: false,
    } as const
    const result = evaluateDevice(rulebook, step, call.receivedAtMs)
    const { eventId } = call
    const followUps = mergeFollowUps(rulebook, before, result, merged, call.receivedAtMs)
    const update = { profile: result.next, previousDueMs: before.dueMs, outbox: result.outbox, eventId, followUps }
    if (!(await parts.profiles.commit(update, 'disk'))) continue

    if (result.outbox.length > 0) parts.notify(before.id, result.outbox)
    if (result.changes.length > 0) parts.onMembership?.(before.id, result.changes, NO_TRAITS)
    if (followUps.length > 0) await runFollowUps(storedFollowUps(before.id, eventId, followUps), parts)
    return
  }
  throw new ProfileContendedError(`a profile changed ${COMMIT_ATTEMPTS_MAX} times during one withdrawal`)
}
