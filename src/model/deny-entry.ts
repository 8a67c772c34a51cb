/**
 * Whose ID is denied. Negative: IDs of one device, which hold for the installation. Otherwise the data source of a
 * declared ID, whose entries hold for it alone [COL-150].
 */
export type DeniedKind = number
export const DeniedDevice = { uuid: -1, ecid: -2 } as const

const DECLARED_DEVICES_BELOW = -10

/** Declared device IDs are limited like devices: the data source, negated and set apart from the two above. */
export function declaredKind(dataSourceId: number, isDeviceId: boolean): DeniedKind {
  return isDeviceId ? DECLARED_DEVICES_BELOW - dataSourceId : dataSourceId
}

/** The data source of a kind that `declaredKind` made; undefined for the IDs of our own. */
export function dataSourceOfKind(kind: DeniedKind): number | undefined {
  if (kind >= 0) return kind
  return kind <= DECLARED_DEVICES_BELOW ? DECLARED_DEVICES_BELOW - kind : undefined
}

/** One ID that was called too often, and since when, how often and until when it is refused [COL-150]. */
export interface DenyEntry {
  readonly kind: DeniedKind
  readonly id: string
  /** The window in which there were too many calls. */
  readonly cause: 'minute' | 'day'
  /** Blocks within 30 days; the third stays. */
  readonly times: number
  readonly firstMs: number
  /** The last call that was refused. */
  readonly lastMs: number
  /** Calls refused since the last block began. */
  readonly count: number
  /** Infinity: for good. */
  readonly untilMs: number
}
