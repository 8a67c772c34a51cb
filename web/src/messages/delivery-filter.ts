/** What the list shows; all of it stands in the address. Times are ISO 8601 UTC. */
export interface DeliveryFilter {
  readonly destinationId?: number
  readonly segmentId?: number
  readonly status?: DeliveryStatus
  readonly q?: string
  readonly from?: string
  readonly to?: string
  readonly page?: number
}

export const STATUSES = ['acknowledged', 'retrying', 'waiting', 'sending', 'dead', 'blocked', 'superseded'] as const
export type DeliveryStatus = (typeof STATUSES)[number]

/** Reads the address; what cannot be meant is left out. */
export function readDeliveryFilter(search: Readonly<Record<string, unknown>>): DeliveryFilter {
  const { destinationId, segmentId, status, q, from, to, page } = search
  return {
    ...(isCount(destinationId) ? { destinationId: Number(destinationId) } : {}),
    ...(isCount(segmentId) ? { segmentId: Number(segmentId) } : {}),
    ...(STATUSES.includes(status as DeliveryStatus) ? { status: status as DeliveryStatus } : {}),
    // An ID of digits alone was read as a number.
    ...(q === undefined || q === '' ? {} : { q: String(q) }),
    ...(isTime(from) ? { from } : {}),
    ...(isTime(to) ? { to } : {}),
    ...(isCount(page) && Number(page) > 0 ? { page: Number(page) } : {}),
  }
}

/** Whether there is nothing to clear. */
export function isUnfiltered({ page: _page, ...filter }: DeliveryFilter): boolean {
  return Object.values(filter).every((value) => value === undefined)
}

/** What a replay takes: every member but the page and the free text. */
export function replayFilter({ page: _page, q: _q, ...filter }: DeliveryFilter): Omit<DeliveryFilter, 'page' | 'q'> {
  return filter
}

/** `2026-11-20 14:07` or a day alone, in UTC. @returns undefined for nothing, null for what is no time */
export function readTime(text: string): string | undefined | null {
  if (text.trim() === '') return undefined
  const [, day, clock = '00:00'] = /^(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d))?$/.exec(text.trim()) ?? []
  const iso = `${day}T${clock}:00.000Z`
  // Not what the calendar makes of the 31st of a short month.
  return day === undefined || Number.isNaN(Date.parse(iso)) || new Date(iso).toISOString() !== iso ? null : iso
}

const isCount = (value: unknown): boolean => /^\d{1,10}$/.test(String(value))
const isTime = (value: unknown): value is string =>
  typeof value === 'string' && /^\d{4}-\d\d-\d\dT.*(Z|[+-]\d\d:\d\d)$/.test(value) && !Number.isNaN(Date.parse(value))
