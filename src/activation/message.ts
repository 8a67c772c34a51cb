import { javaDate } from './java-date.ts'

/** What a destination may choose of the form of its messages. */
export interface MessageForm {
  readonly clientId: string
  readonly numbersAs: 'string' | 'number'
  readonly destinationIdKey: string
  readonly includeRegions: boolean
}

/** One user under one partner ID, ready to be written. */
export interface UserEntry {
  /** `AAM_UUID`. */
  readonly deviceId: string
  /** `DataPartner_UUID`, never trimmed or re-encoded [OUT-42]; empty where the partner has none [OUT-43]. */
  readonly partnerId: string
  /** Most recent first. */
  readonly regions: readonly number[]
  /** In the order they are written. */
  readonly segments: readonly SegmentEntry[]
}

export interface SegmentEntry {
  readonly sid: number
  /** `Segment_ID`: the mapping value [OUT-48]. */
  readonly value: string
  readonly active: boolean
  readonly atSeconds: number
}

export interface MessageHead {
  readonly processTimeSeconds: number
  /** The one data source of every `partnerId` in the message [OUT-40]. */
  readonly userDpid: number
  readonly destinationId: number
}

/**
 * The JSON of a message: keys in the order of the documented example, no white space. Each user is written once and the
 * texts are joined. Source: outbound.md 3.3, OUT-34 to OUT-44, OUT-211.
 */
export function renderMessage(config: MessageForm, head: MessageHead, users: readonly UserEntry[]): string {
  return `${renderHead(config, head, users.length)},"Users":[${users.map((user) => renderUser(config, user)).join(',')}]}`
}

/** All before the users. */
export function renderHead(config: MessageForm, head: MessageHead, userCount: number): string {
  const number = (value: number) => (config.numbersAs === 'number' ? `${value}` : `"${value}"`)
  return (
    `{"ProcessTime":"${javaDate(head.processTimeSeconds)}","User_DPID":${number(head.userDpid)}` +
    `,"Client_ID":${JSON.stringify(config.clientId)},"${config.destinationIdKey}":${number(head.destinationId)}` +
    `,"User_count":${number(userCount)}`
  )
}

function renderUser(
  { includeRegions, numbersAs }: MessageForm,
  { deviceId, partnerId, regions, segments }: UserEntry,
): string {
  const regionList = includeRegions ? `,"AAM_Regions":[${regions.map((region) => `"${region}"`).join(',')}]` : ''
  let list = ''
  for (const { value, active, atSeconds } of segments) {
    const id = numbersAs === 'number' && isSafeNumber(value) ? value : JSON.stringify(value)
    const status = numbersAs === 'number' ? (active ? '1' : '0') : active ? '"1"' : '"0"'
    list += `${list === '' ? '' : ','}{"Segment_ID":${id},"Status":${status},"DateTime":"${javaDate(atSeconds)}"}`
  }
  return `{"AAM_UUID":${JSON.stringify(deviceId)},"DataPartner_UUID":${JSON.stringify(partnerId)}${regionList},"Segments":[${list}]}`
}

/** Digits only, exactly representable, and written without leading zeros, which JSON numbers may not have [OUT-34]. */
function isSafeNumber(value: string): boolean {
  return /^(0|[1-9][0-9]{0,15})$/.test(value) && Number.isSafeInteger(Number(value))
}
