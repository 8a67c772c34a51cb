import type { DataSourceId } from '../model/ids.ts'

/** Data sources that exist in every account, and the strict form of their IDs. Source: spec/collection.md section 4.1. */
type Form = 'uuid_lower' | 'uuid_upper' | 'alphanumeric'

const forms: ReadonlyMap<number, Form> = new Map<number, Form>([
  [20914, 'uuid_lower'], // GAID, Google
  [20915, 'uuid_upper'], // IDFA, Apple
  [121963, 'uuid_lower'], // RIDA, Roku
  [389146, 'alphanumeric'], // MAID, Microsoft
  [963906, 'alphanumeric'], // TIFA, Samsung
  [488258, 'uuid_lower'], // Fire TV, Amazon
  [1171485, 'uuid_lower'], // LGUDID, LG
  [1171489, 'alphanumeric'], // Vizio
])

/** Whether an ID has the form of its global data source, case included [COL-64]; true for every other data source. */
export function fitsGlobalForm(dataSourceId: DataSourceId, id: string): boolean {
  const form = forms.get(dataSourceId)
  if (form === undefined) return true
  // All zeros: ad tracking is limited on that device [COL-66].
  if (!/[1-9A-Za-z]/.test(id)) return false
  if (form === 'alphanumeric') return /^[0-9A-Za-z-]{1,128}$/.test(id)
  return form === 'uuid_lower' ? lowerUuid.test(id) : upperUuid.test(id)
}

const lowerUuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const upperUuid = /^[0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12}$/
