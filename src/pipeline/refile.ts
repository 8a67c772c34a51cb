import { type DestinationRules, takesBackUnmapped } from '../activation/destination-rules.ts'
import { PARTITIONS } from '../model/partition.ts'
import type { DestinationPlan } from '../model/profile.ts'
import type { JobStore } from '../store/job-store.ts'
import { runFollowUps } from './follow-ups.ts'
import type { Parts } from './parts.ts'
import { reevaluateDeclared } from './reevaluate-declared.ts'
import { reevaluateDevice } from './reevaluate-device.ts'
import type { Rulebook } from './rulebook.ts'

/**
 * Brings profiles under a changed rulebook without a visit [AUD-142], [AUD-143]: a walk over all partitions, round and
 * round until every one has been seen under the version in force; on the way, what was unmapped is taken back from
 * destinations that want that [OUT-58]. Its place is stored, so a restart goes on.
 */
export interface Refile {
  /** The rulebook changed: every profile is owed another look. */
  start(rulebook: Pick<Rulebook, 'membershipKey'> & { readonly destinations: Pick<DestinationRules, 'unmapKey'> }): void
  /** Partitions still to do. */
  remaining(): number
  close(): Promise<void>
}

interface Place {
  /** `membershipKey` of the rulebook that is walked for. */
  readonly key: number
  /** `unmapKey` of its destinations; absent in old records. */
  readonly unmap?: number
  readonly partition: number
  readonly remaining: number
}

const JOB = 'refile'
const SAVE_EVERY = 64
const AFTER_FAILURE_MS = 1_000

export async function openRefile(
  parts: Parts,
  jobs: Pick<JobStore, 'read' | 'write'>,
  options: { readonly onFailed: (error: unknown) => void },
): Promise<Refile> {
  let place = ((await jobs.read(JOB)) as Place | undefined) ?? { key: 0, partition: 0, remaining: 0 }
  let closed = false
  let running: Promise<void> | undefined

  const walk = async () => {
    while (!closed && place.remaining > 0) {
      const began = place
      try {
        await refilePartition(began.partition, parts, () => closed)
        // Not when the rulebook changed meanwhile: this partition was walked under the former one.
        if (closed || place !== began) continue
        place = { ...began, partition: (began.partition + 1) % PARTITIONS, remaining: began.remaining - 1 }
        if (place.remaining % SAVE_EVERY === 0) await jobs.write(JOB, place)
      } catch (error) {
        options.onFailed(error)
        await new Promise((resolve) => setTimeout(resolve, AFTER_FAILURE_MS))
      }
    }
    await jobs.write(JOB, place).catch(options.onFailed)
    // Another change may have come while the place was written.
    running = !closed && place.remaining > 0 ? walk() : undefined
  }

  return {
    start({ membershipKey: key, destinations: { unmapKey: unmap } }) {
      const isSame = key === place.key && unmap === (place.unmap ?? 0)
      if (isSame && place.remaining === 0) return
      if (!isSame) place = { key, unmap, partition: place.partition, remaining: PARTITIONS }
      running ??= walk()
    },
    remaining: () => place.remaining,
    async close() {
      closed = true
      await running
    },
  }
}

async function refilePartition(partition: number, parts: Parts, isClosed: () => boolean): Promise<void> {
  for await (const page of parts.profiles.scan(partition, { pageSize: 64 })) {
    if (isClosed()) return
    const startedMs = performance.now()
    const { membershipKey, destinations } = parts.rulebook()
    const stale = page.filter((profile) => profile.membershipKey !== membershipKey)
    const followUps = await Promise.all(
      stale.map((profile) =>
        profile.id.startsWith('d:') ? reevaluateDevice(profile.id, parts) : reevaluateDeclared(profile.id, parts),
      ),
    )
    await runFollowUps(followUps.flat(), parts)
    const concerned = page.filter(({ plans }) => plans.some((plan) => takesBack(destinations, plan)))
    await Promise.all(concerned.map(async ({ id }) => parts.owe(id, await parts.unmappedAt(id))))
    // Half of the time belongs to the edge.
    if (stale.length + concerned.length > 0)
      await new Promise((resolve) => setTimeout(resolve, Math.ceil(performance.now() - startedMs)))
  }
}

function takesBack({ byId }: Rulebook['destinations'], { destinationId }: DestinationPlan): boolean {
  const rule = byId.get(destinationId)
  return rule !== undefined && takesBackUnmapped(rule)
}
