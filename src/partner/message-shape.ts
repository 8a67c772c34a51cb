/**
 * The strict reading of one real-time message: exactly the documented keys, every value of the documented form, and a
 * complaint by name for whatever is not so. A destination may write whole numbers as numbers (`numbersAs`), spell one key
 * as in the table (`destinationIdKey`) and leave the regions out (`includeRegions`): each is taken, throughout a message, and
 * the reading is the same. Source: spec/outbound.md section 3.3, [OUT-34], [OUT-35], [OUT-211].
 */
export interface PartnerMessage {
  readonly ProcessTime: string
  readonly User_DPID: string
  readonly Client_ID: string
  readonly AAM_Destination_Id: string
  readonly User_count: string
  readonly Users: readonly PartnerUser[]
}

export interface PartnerUser {
  readonly AAM_UUID: string
  readonly DataPartner_UUID: string
  /** Empty also where they were left out. */
  readonly AAM_Regions: readonly string[]
  readonly Segments: readonly PartnerSegment[]
}

export interface PartnerSegment {
  readonly Segment_ID: string
  readonly Status: '1' | '0'
  readonly DateTime: string
}

export type MessageReading =
  | { readonly ok: true; readonly message: PartnerMessage; readonly complaints: readonly [] }
  | { readonly ok: false; readonly complaints: readonly string[] }

const USERS_MAX = 10
const COMPLAINTS_MAX = 50
const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ')
const DAYS = 'Sun Mon Tue Wed Thu Fri Sat'.split(' ')
const DATE_TIME =
  /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun) (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) (\d{2}) (\d{2}):(\d{2}):(\d{2}) UTC (\d{4})$/

/** @param body the request body as text */
export function readMessage(body: string): MessageReading {
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch {
    return { ok: false, complaints: ['the body is not JSON'] }
  }
  const complaints = messageComplaints(value)
  if (complaints.length > 0) return { ok: false, complaints: complaints.slice(0, COMPLAINTS_MAX) }
  return { ok: true, message: asStrings(value as SentMessage), complaints: [] }
}

type Written = string | number
interface SentMessage extends Omit<PartnerMessage, 'Users'> {
  readonly AAM_Destination_ID?: Written
  readonly Users: readonly (Omit<PartnerUser, 'AAM_Regions' | 'Segments'> & {
    readonly AAM_Regions?: readonly string[]
    readonly Segments: readonly { readonly Segment_ID: Written; readonly Status: Written; readonly DateTime: string }[]
  })[]
}

/** In the form of the documented example, whatever the destination's settings. */
function asStrings({ AAM_Destination_ID: spelt, Users, ...head }: SentMessage): PartnerMessage {
  return {
    ProcessTime: head.ProcessTime,
    User_DPID: String(head.User_DPID),
    Client_ID: head.Client_ID,
    AAM_Destination_Id: String(spelt ?? head.AAM_Destination_Id),
    User_count: String(head.User_count),
    Users: Users.map((user) => ({
      ...user,
      AAM_Regions: user.AAM_Regions ?? [],
      Segments: user.Segments.map((segment) => ({
        ...segment,
        Segment_ID: String(segment.Segment_ID),
        Status: String(segment.Status) as '1' | '0',
      })),
    })),
  }
}

/** What one message holds throughout. */
interface Form {
  /** Whole numbers are numbers. */
  readonly isNumeric: boolean
  readonly hasRegions: boolean
}

function messageComplaints(value: unknown): string[] {
  if (!isObject(value)) return ['the message is not a JSON object']
  const users = value['Users']
  const destinationKey =
    'AAM_Destination_ID' in value && !('AAM_Destination_Id' in value) ? 'AAM_Destination_ID' : 'AAM_Destination_Id'
  const keys = ['ProcessTime', 'User_DPID', 'Client_ID', destinationKey, 'User_count', 'Users']
  const isNumeric = typeof value['User_count'] === 'number'
  const hasRegions = !Array.isArray(users) || users.some((user) => isObject(user) && 'AAM_Regions' in user)
  const numbers = ['User_DPID', destinationKey, 'User_count']
  return [
    ...keyComplaints(value, keys, ''),
    ...dateTimeComplaints(value, 'ProcessTime', ''),
    ...textComplaints(value, 'Client_ID', ''),
    ...numbers.flatMap((key) => (isNumeric ? wholeComplaints(value, key) : digitsComplaints(value, key, ''))),
    ...(Array.isArray(users)
      ? usersComplaints(users, value['User_count'], { isNumeric, hasRegions })
      : 'Users' in value
        ? ['Users is not an array']
        : []),
  ]
}

function usersComplaints(users: readonly unknown[], count: unknown, form: Form): string[] {
  const complaints: string[] = []
  if (users.length < 1 || users.length > USERS_MAX)
    complaints.push(`Users has ${users.length} entries, allowed are 1 to ${USERS_MAX}`)
  if ((typeof count === 'string' || typeof count === 'number') && String(count) !== String(users.length))
    complaints.push(`User_count is ${name(count)}, Users has ${users.length}`)
  return [...complaints, ...users.flatMap((user, index) => userComplaints(user, `Users[${index}]`, form))]
}

function userComplaints(user: unknown, at: string, form: Form): string[] {
  if (!isObject(user)) return [`${at} is not an object`]
  const { AAM_Regions: regions, Segments: segments } = user
  return [
    ...keyComplaints(
      user,
      ['AAM_UUID', 'DataPartner_UUID', ...(form.hasRegions ? ['AAM_Regions'] : []), 'Segments'],
      at,
    ),
    ...digitsComplaints(user, 'AAM_UUID', at),
    ...textComplaints(user, 'DataPartner_UUID', at),
    ...regionComplaints(regions, at),
    ...(Array.isArray(segments)
      ? segmentsComplaints(segments, at, form)
      : 'Segments' in user
        ? [`${at}.Segments is not an array`]
        : []),
  ]
}

function regionComplaints(regions: unknown, at: string): string[] {
  if (regions === undefined) return []
  if (!Array.isArray(regions)) return [`${at}.AAM_Regions is not an array`]
  const complaints = regions.flatMap((region, index) =>
    typeof region === 'string' && /^[0-9]+$/.test(region)
      ? []
      : [`${at}.AAM_Regions[${index}] is ${name(region)}, not a string of digits`],
  )
  return new Set(regions).size === regions.length
    ? complaints
    : [...complaints, `${at}.AAM_Regions names a region twice`]
}

function segmentsComplaints(segments: readonly unknown[], at: string, form: Form): string[] {
  const complaints = segments.flatMap((segment, index) => segmentComplaints(segment, `${at}.Segments[${index}]`, form))
  if (segments.length === 0) complaints.push(`${at}.Segments is empty`)
  const ids = segments.map((segment) => (isObject(segment) ? textOf(segment['Segment_ID']) : undefined))
  const twice = ids.find((id, index) => id !== undefined && ids.indexOf(id) !== index)
  return twice === undefined ? complaints : [...complaints, `${at}.Segments names segment ${String(twice)} twice`]
}

function segmentComplaints(segment: unknown, at: string, { isNumeric }: Form): string[] {
  if (!isObject(segment)) return [`${at} is not an object`]
  const { Segment_ID: id, Status: status } = segment
  return [
    ...keyComplaints(segment, ['Segment_ID', 'Status', 'DateTime'], at),
    ...(isNumeric ? segmentNumberComplaints(id, at) : textComplaints(segment, 'Segment_ID', at)),
    ...(id === '' ? [`${at}.Segment_ID is empty`] : []),
    ...('Status' in segment && !(isNumeric ? [1, 0] : ['1', '0']).includes(status as never)
      ? [`${at}.Status is ${name(status)}, not ${isNumeric ? '1 or 0' : '"1" or "0"'}`]
      : []),
    ...dateTimeComplaints(segment, 'DateTime', at),
  ]
}

/** Only what no JSON number can stand for stays a string [OUT-34]. */
function segmentNumberComplaints(id: unknown, at: string): string[] {
  if (id === undefined || isWhole(id)) return []
  if (typeof id === 'string' && !(/^(0|[1-9][0-9]*)$/.test(id) && Number.isSafeInteger(Number(id)))) return []
  return [`${at}.Segment_ID is ${name(id)}, not a whole number, as User_count is one`]
}

function wholeComplaints(object: Record<string, unknown>, key: string): string[] {
  const value = object[key]
  return value === undefined || isWhole(value)
    ? []
    : [`${key} is ${name(value)}, not a whole number, as User_count is one`]
}

function isWhole(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function textOf(value: unknown): unknown {
  return typeof value === 'number' ? String(value) : value
}

function keyComplaints(object: Record<string, unknown>, keys: readonly string[], at: string): string[] {
  const missing = keys.filter((key) => !Object.hasOwn(object, key)).map((key) => `${path(at, key)} is missing`)
  const extra = Object.keys(object)
    .filter((key) => !keys.includes(key))
    .map((key) => `${path(at, key)} is not a documented key`)
  return [...missing, ...extra]
}

function textComplaints(object: Record<string, unknown>, key: string, at: string): string[] {
  const value = object[key]
  return value === undefined || typeof value === 'string' ? [] : [`${path(at, key)} is ${name(value)}, not a string`]
}

function digitsComplaints(object: Record<string, unknown>, key: string, at: string): string[] {
  const value = object[key]
  if (value === undefined || (typeof value === 'string' && /^[0-9]+$/.test(value))) return []
  return [`${path(at, key)} is ${name(value)}, not a string of digits`]
}

function dateTimeComplaints(object: Record<string, unknown>, key: string, at: string): string[] {
  const value = object[key]
  if (value === undefined) return []
  if (typeof value !== 'string') return [`${path(at, key)} is ${name(value)}, not a string`]
  if (parseDateTime(value) !== undefined) return []
  return [`${path(at, key)} is ${name(value)}, not a date like "Wed Jul 27 16:17:42 UTC 2016"`]
}

/** Milliseconds since the epoch; undefined when the text has another form or names a day that was not that weekday. */
export function parseDateTime(text: string): number | undefined {
  const parts = DATE_TIME.exec(text)
  if (parts === null) return undefined
  const [, weekday, month, day, hour, minute, second, year] = parts as unknown as readonly string[]
  const ms = Date.UTC(
    Number(year),
    MONTHS.indexOf(month as string),
    Number(day),
    Number(hour),
    Number(minute),
    Number(second),
  )
  const date = new Date(ms)
  const isReal =
    DAYS[date.getUTCDay()] === weekday && date.getUTCDate() === Number(day) && date.getUTCHours() === Number(hour)
  return isReal && Number(minute) < 60 && Number(second) < 60 ? ms : undefined
}

function path(at: string, key: string): string {
  return at === '' ? key : `${at}.${key}`
}

function name(value: unknown): string {
  return (JSON.stringify(value) ?? 'undefined').slice(0, 60)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
