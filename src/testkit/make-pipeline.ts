import { randomInt } from 'node:crypto'
import { makeEcidMapper } from '../identity/ecid.ts'
import { runInSlices } from '../lib/slices.ts'
import type { CallOutcome, CollectedCall, OptOutCall, OptOutLevel, OptOutOutcome } from '../model/collected-call.ts'
import type { Definitions } from '../model/definitions.ts'
import type { DestinationId, DeviceId, ProfileId } from '../model/ids.ts'
import type { Profile } from '../model/profile.ts'
import { runPendingFollowUps } from '../pipeline/follow-ups.ts'
import { optOut, optOutStatus } from '../pipeline/opt-out.ts'
import type { Parts } from '../pipeline/parts.ts'
import { processCall } from '../pipeline/process-call.ts'
import { openRefile } from '../pipeline/refile.ts'
import { buildRulebook } from '../pipeline/rulebook.ts'
import { startSweep } from '../pipeline/sweep.ts'
import { openJobStore } from '../store/job-store.ts'
import { openMemoryRecordStore } from '../store/memory/memory-record-store.ts'
import type { ProfileStore } from '../store/profile-store.ts'
import { openProfileStore } from '../store/profiles.ts'
import { newEventId } from './make-call.ts'
import { withOverrides } from './with-overrides.ts'

/** The whole pipeline over the in-memory store, with a clock to set and what it told the dispatcher on record. */
export interface TestPipeline extends AsyncDisposable {
  process(call: CollectedCall): Promise<CallOutcome>
  optOut(call: OptOutCall): Promise<OptOutOutcome>
  optOutStatus(call: OptOutCall): Promise<OptOutLevel | undefined>
  profile(id: ProfileId): Promise<Profile | undefined>
  /** Reads and commits that the engine was asked for, since the last time this was asked. */
  roundTrips(): { readonly reads: number; readonly commits: number }
  readonly notified: { profileId: ProfileId; destinationIds: readonly DestinationId[] }[]
  /** Moves the clock and lets the sweep do all that is due then. */
  sweepAt(nowMs: number): Promise<void>
  /** Puts other definitions in force and lets the background walk finish. */
  change(definitions: Definitions): Promise<void>
  /** Does something between the evaluation of a profile and its next commit. */
  beforeNextCommit(profileId: ProfileId, work: () => Promise<unknown>): void
  /** From now on commits go through, and the follow-ups they brought do not: the moment of a crash. */
  failFollowUps(fail: boolean): void
  runPendingFollowUps(): Promise<number>
  /** A destination is still owed a message about this profile. */
  owe(profileId: ProfileId | undefined): void
}

export async function makePipeline(
  definitions: Definitions,
  { mayForget = () => true, isTimeKept = () => true }: Partial<Pick<Parts, 'mayForget' | 'isTimeKept'>> = {},
): Promise<TestPipeline> {
  const build = (next: Definitions) => runInSlices(buildRulebook(next, { allowPrivate: true, previous: undefined }))
  let rulebook = await build(definitions)
  let nowMs = Date.UTC(2026, 10, 22, 10)
  let failing = false
  let owed: ProfileId | undefined
  let interrupted: { readonly profileId: ProfileId; readonly work: () => Promise<unknown> } | undefined
  const errors: unknown[] = []
  const notified: TestPipeline['notified'] = []
  const counts = { reads: 0, commits: 0 }
  const engine = await openMemoryRecordStore()
  const records = withOverrides(engine, {
    getMany(keys) {
      counts.reads += 1
      return engine.getMany(keys)
    },
    commit(commit, durability) {
      counts.commits += 1
      return engine.commit(commit, durability)
    },
  })
  const profiles = await openProfileStore(records, { optOutKey: Buffer.alloc(32, 3) })
  // Follow-ups are the only commits on declared IDs, so refusing those is the moment after the device's commit.
  const crashing = withOverrides<ProfileStore>(profiles, {
    async commit(update, durability) {
      if (failing && !update.profile.id.startsWith('d:')) throw new Error('crashed')
      const work = update.profile.id === interrupted?.profileId ? interrupted.work : undefined
      if (work !== undefined) {
        interrupted = undefined
        await work()
      }
      return profiles.commit(update, durability)
    },
  })
  const parts: Parts = {
    profiles: crashing,
    rulebook: () => rulebook,
    ecids: makeEcidMapper(Buffer.alloc(32, 4)),
    clock: () => nowMs,
    newDeviceId: () => String(randomInt(2 ** 47)).padStart(38, '9') as DeviceId,
    newEventId,
    notify: (profileId, destinationIds) => notified.push({ profileId, destinationIds }),
    unmappedAt: () => Promise.resolve([]),
    owedBy: (profileId) => Promise.resolve(profileId === owed ? [900 as DestinationId] : []),
    owe: async (profileId, destinationIds) => {
      if (destinationIds.length > 0) notified.push({ profileId, destinationIds })
    },
    judgedMs: (nowMs) => nowMs,
    isTimeKept,
    mayForget,
    onFollowUpFailed: (error) => {
      if (!failing) errors.push(error)
    },
  }
  const onFailed = (error: unknown) => errors.push(error)
  return {
    notified,
    process(call) {
      nowMs = Math.max(call.receivedAtMs, nowMs)
      return processCall({ ...call, receivedAtMs: nowMs }, parts)
    },
    optOut: (call) => optOut(call, parts),
    optOutStatus: (call) => optOutStatus(call, parts),
    roundTrips() {
      const counted = { ...counts }
      Object.assign(counts, { reads: 0, commits: 0 })
      return counted
    },
    profile: async (id) => (await profiles.getMany([id]))[0],
    async sweepAt(atMs) {
      nowMs = atMs
      const sweep = startSweep(parts, { onFailed })
      await sweep.idle()
      await sweep.close()
    },
    async change(next) {
      rulebook = await build(next)
      const refile = await openRefile(parts, openJobStore(records), { onFailed })
      refile.start(rulebook)
      while (refile.remaining() > 0) await new Promise((resolve) => setTimeout(resolve, 5))
      await refile.close()
    },
    beforeNextCommit(profileId, work) {
      interrupted = { profileId, work }
    },
    failFollowUps(fail) {
      failing = fail
    },
    runPendingFollowUps: () => runPendingFollowUps(parts),
    owe(profileId) {
      owed = profileId
    },
    async [Symbol.asyncDispose]() {
      await profiles.close()
      if (errors.length > 0) throw errors[0]
    },
  }
}
