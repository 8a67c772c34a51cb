import type { SetupLink } from '../contract.ts'
import type { MachineClock } from '../lib/clock-moment.ts'
import type { readDiskSpace } from '../lib/disk-space.ts'
import type { RecordStore } from '../store/record-store.ts'

/** A running server. */
export interface Usher {
  /** Empty in a process without that role. */
  readonly edgeUrl: string
  readonly adminUrl: string
  /** Members of the ready line [OPS-12]. */
  readonly ready: ReadyLine
  /** Where the administrator's token is, on the first start and when none is configured [OPS-22]. */
  readonly newTokenFile: string | undefined
  /** Nobody is signed in to the web UI. */
  needsSetupLink(): Promise<boolean>
  /** A one-time link into the web UI [OPS-22]; undefined in a process without it. */
  newSetupLink(): Promise<SetupLink | undefined>
  /** Stops accepting, finishes what it accepted, flushes [OPS-13]. */
  close(): Promise<void>
}

export interface ReadyLine {
  readonly edgeUrl: string
  readonly adminUrl: string
  readonly durability: string
  readonly startupMs: number
  readonly allowPrivateDestinations: boolean
}

export interface Overrides {
  /** `host:port` that may be reached although it is private; for the demo's own sandbox [OPS-25]. */
  readonly allowedTargets?: readonly string[]
  /** Tests put a damaged engine in between. */
  readonly wrapRecords?: (records: RecordStore) => RecordStore
  /** Tests fill the disk. */
  readonly readDiskSpace?: typeof readDiskSpace
  /** Tests set the clock of the machine. */
  readonly machineClock?: MachineClock
}
