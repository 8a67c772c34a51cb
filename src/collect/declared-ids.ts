import { comparableCode } from '../lib/texts.ts'
import type { CallError } from '../model/collected-call.ts'
import type { DataSource } from '../model/definitions.ts'
import type { Directory } from '../model/directory.ts'
import type { AuthState, DeclaredId } from '../model/event.ts'
import type { DataSourceId } from '../model/ids.ts'
import { isMistakenId } from './deny-seeds.ts'
import { callError } from './error-codes.ts'
import { fitsGlobalForm } from './global-ids.ts'
import type { RawDeclared } from './parse-query.ts'
import { decodeText } from './percent.ts'

/** AAM's own limits [COL-86], [COL-87]. */
export const DECLARED_IDS_MAX = 10
const IDS_PER_DATA_SOURCE_MAX = 3

/** A code the ID service sends for its analytics product; no mistake of the caller [COL-91]. */
const ANALYTICS_CODE = 'AVID'

export interface DeclaredIds {
  /** Valid, permitted, at most 10, in request order. */
  readonly ids: readonly DeclaredId[]
  /** IDs that were well-formed but are denied (303, 304). */
  readonly deniedCount: number
  /** The last pair given as `d_dpid` and `d_dpuuid` [COL-83]. */
  readonly deprecatedPair: DeclaredId | undefined
}

const NONE: DeclaredIds = { ids: [], deniedCount: 0, deprecatedPair: undefined }

/** Source: spec/collection.md section 5. @param errors receives the codes, in order of detection */
export function readDeclaredIds(
  raw: readonly RawDeclared[],
  directory: Directory,
  deniedDataSources: ReadonlySet<number>,
  errors: CallError[],
): DeclaredIds {
  if (raw.length === 0) return NONE
  const reader: Reader = { directory, deniedDataSources, errors, ids: [], bad: 0, denied: 0, pair: undefined }
  const halves = new Map<string, RawDeclared>()
  for (const part of raw) {
    if (part.key === 'd_cid' || part.key === 'd_cid_ic' || part.key === 'd_cid_ns') readJoined(reader, part)
    else readHalf(reader, part, halves)
  }
  for (const lone of halves.values()) refuse(reader, 300, lone.raw)
  const ids = withinTotal(withinDataSource(reader.ids, errors), errors)
  if (ids.length === 0 && reader.bad > 0) errors.push(callError(104))
  return { ids, deniedCount: reader.denied, deprecatedPair: reader.pair }
}

interface Reader {
  readonly directory: Directory
  readonly deniedDataSources: ReadonlySet<number>
  readonly errors: CallError[]
  readonly ids: DeclaredId[]
  bad: number
  denied: number
  pair: DeclaredId | undefined
}

/** `DPID \x01 ID [\x01 state]`: split while still encoded, then each part is decoded once [COL-80]. */
function readJoined(reader: Reader, { key, raw }: RawDeclared): void {
  const fields = raw.replaceAll('\x01', '%01').split('%01')
  const source = text(fields[0])
  const id = text(fields[1])
  const isState = fields.length === 2 && (id === '0' || id === '1' || id === '2')
  const dataSource = source === '' ? 'malformed' : findDataSource(reader.directory, key, source)
  if (dataSource === 'ignored') return
  // A lone state would join all users in that state under the ID `1` [COL-263].
  if (fields.length < 2 || fields.length > 3 || id === '' || isState || dataSource === 'malformed') {
    refuse(reader, 300, raw)
  } else accept(reader, dataSource, id, authStateOf(text(fields[2])), raw)
}

/** `d_dpid` and `d_dpuuid` (or both without prefix) are one ID with state 0 [COL-83]. */
function readHalf(reader: Reader, part: RawDeclared, halves: Map<string, RawDeclared>): void {
  const otherKey = otherHalf[part.key as keyof typeof otherHalf]
  const other = halves.get(otherKey)
  if (other === undefined) {
    const earlier = halves.get(part.key)
    if (earlier !== undefined) refuse(reader, 300, earlier.raw)
    halves.set(part.key, part)
    return
  }
  halves.delete(otherKey)
  const isSource = part.key.endsWith('dpid')
  const source = text(isSource ? part.raw : other.raw)
  const id = text(isSource ? other.raw : part.raw)
  const dataSource = findDataSource(reader.directory, 'd_cid', source)
  if (id === '' || dataSource === 'malformed') refuse(reader, 300, `${source}\x01${id}`)
  else if (dataSource !== 'ignored') reader.pair = accept(reader, dataSource, id, 0, `${source}\x01${id}`)
}

const otherHalf = { d_dpid: 'd_dpuuid', d_dpuuid: 'd_dpid', dpid: 'dpuuid', dpuuid: 'dpid' } as const

type Found = DataSource | 'unauthorized' | 'malformed' | 'ignored'

function findDataSource(directory: Directory, key: RawDeclared['key'], source: string): Found {
  if (key === 'd_cid') {
    if (!/^[0-9]{1,10}$/.test(source)) return 'malformed'
    const found = directory.dataSources.get(Number(source) as DataSourceId)
    return found === undefined || found.status === 'INACTIVE' ? 'unauthorized' : found
  }
  const found = directory.byIntegrationCode.get(comparableCode(source))
  if (found !== undefined) return found.status === 'INACTIVE' ? 'unauthorized' : found
  // Name spaces are sent for other products too [COL-262].
  return key === 'd_cid_ns' || source === ANALYTICS_CODE ? 'ignored' : 'malformed'
}

function accept(
  reader: Reader,
  dataSource: DataSource | 'unauthorized',
  id: string,
  authState: AuthState,
  raw: string,
): DeclaredId | undefined {
  if (dataSource === 'unauthorized') return refuse(reader, 302, raw)
  const { dataSourceId } = dataSource
  if (hasControl(id)) return refuse(reader, 300, raw)
  if (!fitsGlobalForm(dataSourceId, id)) {
    reader.errors.push(callError(312))
    return refuse(reader, 300, raw)
  }
  if (reader.deniedDataSources.has(dataSourceId)) return deny(reader, 304, String(dataSourceId))
  if (isMistakenId(id)) return deny(reader, dataSource.idType === 'DEVICE_ADVERTISING_ID' ? 306 : 303, id)
  const declared: DeclaredId = { dataSourceId, id, authState }
  reader.ids.push(declared)
  return declared
}

function refuse(reader: Reader, code: 300 | 302, raw: string): undefined {
  reader.bad++
  reader.errors.push(callError(code, raw))
}

function deny(reader: Reader, code: 303 | 304 | 306, subject: string): undefined {
  reader.denied++
  reader.errors.push(callError(code, subject))
}

/** At most 3 of one data source, however it was named; checked before the total [COL-87]. */
function withinDataSource(ids: readonly DeclaredId[], errors: CallError[]): readonly DeclaredId[] {
  if (ids.length <= IDS_PER_DATA_SOURCE_MAX) return ids
  const counts = new Map<DataSourceId, number>()
  return ids.filter(({ dataSourceId, id }) => {
    const count = (counts.get(dataSourceId) ?? 0) + 1
    counts.set(dataSourceId, count)
    if (count > IDS_PER_DATA_SOURCE_MAX) errors.push(callError(310, dataSourceId, id))
    return count <= IDS_PER_DATA_SOURCE_MAX
  })
}

function withinTotal(ids: readonly DeclaredId[], errors: CallError[]): readonly DeclaredId[] {
  if (ids.length <= DECLARED_IDS_MAX) return ids
  errors.push(callError(301, DECLARED_IDS_MAX, ids.length))
  for (const { id } of ids.slice(DECLARED_IDS_MAX)) errors.push(callError(309, id))
  return ids.slice(0, DECLARED_IDS_MAX)
}

/** Any other state counts as unknown and gives no code: the ID itself is kept [COL-89]. */
function authStateOf(state: string): AuthState {
  return state === '1' ? 1 : state === '2' ? 2 : 0
}

/** Broken escapes never get this far: they are 311 for the whole call. */
function text(raw: string | undefined): string {
  if (raw === undefined) return ''
  return raw.includes('%') || hasHigh(raw) ? (decodeText(raw, hasHigh(raw)) ?? '').trim() : raw.trim()
}

function hasHigh(raw: string): boolean {
  for (let i = 0; i < raw.length; i++) if (raw.charCodeAt(i) >= 0x80) return true
  return false
}

/** [SEC-07] */
function hasControl(id: string): boolean {
  for (let i = 0; i < id.length; i++) {
    const unit = id.charCodeAt(i)
    if (unit < 0x20 || (unit >= 0x7f && unit < 0xa0)) return true
  }
  return false
}
