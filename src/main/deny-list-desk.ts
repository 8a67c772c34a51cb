import type { DenyListDesk, DenyListFilter } from '../api/parts.ts'
import type { DenyList, ListedEntry } from '../collect/deny-list.ts'
import type { DenyListKeeper } from '../collect/deny-list-keeper.ts'
import type { DenyListEntry } from '../contract.ts'
import { runInSlices } from '../lib/slices.ts'
import type { Clock } from '../model/clock.ts'
import { DeniedDevice, type DeniedKind, dataSourceOfKind } from '../model/deny-entry.ts'
import { StoreUnavailableError } from '../store/record-store.ts'

/** The deny list as the API shows it [COL-150]. */
export function openDenyListDesk(
  list: DenyList,
  keeper: Pick<DenyListKeeper, 'flush'>,
  { mayClear, clock }: { readonly mayClear: boolean; readonly clock: Clock },
): DenyListDesk {
  return {
    list: (filter, window) => runInSlices(listed(list.entries(clock()), filter, window)),
    async remove(entryId) {
      // `parseInt` would read `abc!` as `abc`.
      const hash = /^[0-9a-z]{1,11}$/.test(entryId) ? Number.parseInt(entryId, 36) : Number.NaN
      if (list.entryOf(hash) === undefined) return 'unknown'
      if (!mayClear) return 'off'
      list.remove(hash)
      if (!(await keeper.flush())) throw new StoreUnavailableError('the deny list could not be written')
      return 'removed'
    },
  }
}

/** Entries looked at between two yields; there may be 100,000. */
const STEP = 1_000

function* listed(
  entries: Iterable<ListedEntry>,
  { idType, dataSourceId, id }: DenyListFilter,
  { page, pageSize }: { readonly page: number; readonly pageSize: number },
): Generator<void, { readonly total: number; readonly list: readonly DenyListEntry[] }> {
  const list: DenyListEntry[] = []
  let looked = 0
  let total = 0
  for (const entry of entries) {
    if (++looked % STEP === 0) yield
    if (id !== undefined && entry.id !== id) continue
    if (idType !== undefined && typeOf(entry.kind) !== idType) continue
    if (dataSourceId !== undefined && dataSourceOfKind(entry.kind) !== dataSourceId) continue
    if (total >= page * pageSize && list.length < pageSize) list.push(render(entry))
    total++
  }
  return { total, list }
}

function render(entry: ListedEntry): DenyListEntry {
  return {
    entryId: entry.hash.toString(36),
    idType: typeOf(entry.kind),
    dataSourceId: dataSourceOfKind(entry.kind) ?? null,
    id: entry.id,
    cause: entry.cause,
    times: entry.times,
    firstAt: new Date(entry.firstMs).toISOString(),
    lastAt: new Date(entry.lastMs).toISOString(),
    count: entry.count,
    until: Number.isFinite(entry.untilMs) ? new Date(entry.untilMs).toISOString() : null,
  }
}

function typeOf(kind: DeniedKind): DenyListEntry['idType'] {
  if (kind === DeniedDevice.uuid) return 'device'
  if (kind === DeniedDevice.ecid) return 'ecid'
  return kind >= 0 ? 'declared' : 'declaredDevice'
}
