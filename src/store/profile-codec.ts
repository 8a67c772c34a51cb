import type { AuthState } from '../model/event.ts'
import type { DataSourceId, DestinationId, EventId, ProfileId } from '../model/ids.ts'
import {
  type DestinationPlan,
  type DeviceLink,
  EMPTY_SEGMENTS,
  type IdLink,
  type Profile,
  type StoredConsent,
} from '../model/profile.ts'
import { ByteReader } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'
import { DEVICE_BYTES, packDevice, unpackDevice } from './packed-device.ts'
import { packId, unpackId } from './packed-id.ts'
import { openRecord, RecordVersionError, sealRecord } from './record.ts'
import { readSegments, readTraits, writeSegments, writeTraits } from './table-codec.ts'

/**
 * A profile as a record: about 3.5 bytes a trait (performance.md, finding 5). All times are kept in whole seconds, so
 * milliseconds are lost on the way. The id stands in the key and the revision in the envelope; neither is in the body.
 */
const VERSION = 1

/** Which parts follow; most profiles have few. */
const HAS_DUE = 1
const HAS_REGIONS = 2
const HAS_SEGMENTS = 4
const HAS_LINKS = 8
const HAS_DEVICES = 16
const HAS_EVENTS = 32
const HAS_PLANS = 64
const HAS_CONSENT = 128

/** 2020-01-01: times since then fit four bytes until 2028. */
const EPOCH_SECONDS = 1_577_836_800
const EVENT_BYTES = 8
const FINGERPRINT_BYTES = 8

const writer = new ByteWriter()
const reader = new ByteReader()

/** @param revision what the profile has once this record is stored */
export function sealProfile(profile: Profile, revision: number): Buffer {
  return sealRecord(VERSION, revision, encodeProfile(profile))
}

/**
 * @throws RecordCorruptError when the record is damaged
 * @throws RecordVersionError when a newer program wrote it
 */
export function openProfile(id: ProfileId, record: Buffer): Profile {
  const { version, revision, body } = openRecord(record)
  if (version !== VERSION) throw new RecordVersionError(`a profile record has version ${version}, known is ${VERSION}`)
  return decodeProfile(id, revision, body)
}

/** @returns the body; valid until the next call */
export function encodeProfile(profile: Profile): Buffer {
  writer.start()
  writer.reserve(64)
  writer.bytes[writer.at++] = partsOf(profile)
  const firstSeen = seconds(profile.firstSeenMs)
  const lastSeen = seconds(profile.lastSeenMs)
  writer.varint((firstSeen - EPOCH_SECONDS) >>> 0)
  writer.difference(lastSeen, firstSeen)
  writer.varint(profile.membershipKey)
  if (profile.dueMs !== 0) writer.difference(seconds(profile.dueMs), lastSeen)
  writeTraits(writer, profile.traits)
  if (profile.segments.sids.length > 0) writeSegments(writer, profile.segments, lastSeen)
  if (profile.appliedEvents.length > 0) writeEvents(profile.appliedEvents)
  if (profile.regions.length > 0) writeNumbers(profile.regions)
  if (profile.links.length > 0) writeLinks(profile.links, lastSeen)
  if (profile.devices.length > 0) writeDevices(profile.devices, lastSeen)
  if (profile.plans.length > 0) writePlans(profile.plans, lastSeen)
  if (profile.consent !== undefined) writeConsent(profile.consent, lastSeen)
  return writer.written()
}

export function decodeProfile(id: ProfileId, revision: number, body: Buffer): Profile {
  reader.start(body)
  const parts = reader.bytes[reader.at++] as number
  const firstSeen = (reader.varint() + EPOCH_SECONDS) >>> 0
  const lastSeen = reader.difference(firstSeen)
  const membershipKey = reader.varint()
  const dueMs = parts & HAS_DUE ? reader.difference(lastSeen) * 1000 : 0
  // The parts are read in the order in which they were written.
  const traits = readTraits(reader)
  const segments = parts & HAS_SEGMENTS ? readSegments(reader, lastSeen) : EMPTY_SEGMENTS
  const appliedEvents = parts & HAS_EVENTS ? readEvents() : []
  const regions = parts & HAS_REGIONS ? readNumbers<number>() : []
  const links = parts & HAS_LINKS ? readLinks(lastSeen) : []
  const devices = parts & HAS_DEVICES ? readDevices(lastSeen) : []
  const plans = parts & HAS_PLANS ? readPlans(lastSeen) : []
  const consent = parts & HAS_CONSENT ? readConsent(lastSeen) : undefined
  return {
    id,
    revision,
    firstSeenMs: firstSeen * 1000,
    lastSeenMs: lastSeen * 1000,
    regions,
    traits,
    segments,
    links,
    devices,
    appliedEvents,
    plans,
    consent,
    membershipKey,
    dueMs,
  }
}

function seconds(ms: number): number {
  return Math.floor(ms / 1000)
}

function partsOf(profile: Profile): number {
  return (
    (profile.dueMs !== 0 ? HAS_DUE : 0) |
    (profile.regions.length > 0 ? HAS_REGIONS : 0) |
    (profile.segments.sids.length > 0 ? HAS_SEGMENTS : 0) |
    (profile.links.length > 0 ? HAS_LINKS : 0) |
    (profile.devices.length > 0 ? HAS_DEVICES : 0) |
    (profile.appliedEvents.length > 0 ? HAS_EVENTS : 0) |
    (profile.plans.length > 0 ? HAS_PLANS : 0) |
    (profile.consent !== undefined ? HAS_CONSENT : 0)
  )
}

function writeNumbers(values: readonly number[]): void {
  writer.reserve(8 + values.length * 8)
  writer.varint(values.length)
  for (const value of values) writer.varint(value)
}

function readNumbers<Value extends number>(): Value[] {
  const values = new Array<Value>(reader.varint())
  for (let i = 0; i < values.length; i++) values[i] = reader.varint() as Value
  return values
}

/** An event id is the Base64 form of 8 bytes; those 8 bytes are stored. */
function writeEvents(events: readonly EventId[]): void {
  writer.reserve(8 + events.length * EVENT_BYTES)
  writer.varint(events.length)
  for (const event of events) {
    if (event.length !== 12 || writer.bytes.write(event, writer.at, 'base64') !== EVENT_BYTES) {
      throw new TypeError('an event id is not 8 bytes in Base64')
    }
    writer.at += EVENT_BYTES
  }
}

function readEvents(): EventId[] {
  const events = new Array<EventId>(reader.varint())
  for (let i = 0; i < events.length; i++) {
    events[i] = reader.bytes.toString('base64', reader.at, reader.at + EVENT_BYTES) as EventId
    reader.at += EVENT_BYTES
  }
  return events
}

/** The state stands in the two lowest bits of the data source; bit 2 says whether a time of authentication follows. */
function writeLinks(links: readonly IdLink[], lastSeen: number): void {
  writer.reserve(8)
  writer.varint(links.length)
  for (const link of links) {
    const id = packId(link.id)
    writer.reserve(32 + id.bytes.length)
    const wasAuthenticated = link.authenticatedAtMs !== 0
    writer.varint(link.dataSourceId * 8 + (wasAuthenticated ? 4 : 0) + link.authState)
    const syncedAt = seconds(link.syncedAtMs)
    writer.difference(syncedAt, lastSeen)
    if (wasAuthenticated) writer.difference(seconds(link.authenticatedAtMs), syncedAt)
    writer.varint(id.bytes.length * 8 + id.form)
    writer.bytes.set(id.bytes, writer.at)
    writer.at += id.bytes.length
  }
}

function readLinks(lastSeen: number): IdLink[] {
  const links = new Array<IdLink>(reader.varint())
  for (let i = 0; i < links.length; i++) {
    const head = reader.varint()
    const flags = head % 8
    const syncedAt = reader.difference(lastSeen)
    const authenticatedAt = flags >= 4 ? reader.difference(syncedAt) : 0
    const idHead = reader.varint()
    const idStart = reader.at
    reader.at += idHead >>> 3
    links[i] = {
      dataSourceId: ((head - flags) / 8) as DataSourceId,
      id: unpackId(idHead & 7, reader.bytes.subarray(idStart, reader.at)),
      syncedAtMs: syncedAt * 1000,
      authState: (flags & 3) as AuthState,
      authenticatedAtMs: authenticatedAt * 1000,
    }
  }
  return links
}

function writeDevices(devices: readonly DeviceLink[], lastSeen: number): void {
  writer.reserve(8 + devices.length * (DEVICE_BYTES + 5))
  writer.varint(devices.length)
  for (const device of devices) {
    packDevice(device.deviceId, 0, writer.bytes, writer.at)
    writer.at += DEVICE_BYTES
    writer.difference(seconds(device.syncedAtMs), lastSeen)
  }
}

function readDevices(lastSeen: number): DeviceLink[] {
  const devices = new Array<DeviceLink>(reader.varint())
  for (let i = 0; i < devices.length; i++) {
    const deviceId = unpackDevice(reader.bytes, reader.at)
    reader.at += DEVICE_BYTES
    devices[i] = { deviceId, syncedAtMs: reader.difference(lastSeen) * 1000 }
  }
  return devices
}

function writePlans(plans: readonly DestinationPlan[], lastSeen: number): void {
  writer.reserve(8 + plans.length * 21)
  writer.varint(plans.length)
  for (const plan of plans) {
    writer.varint(plan.destinationId)
    writer.difference(seconds(plan.plannedAtMs), lastSeen)
    writer.varint(plan.mappingVersion)
  }
}

function readPlans(lastSeen: number): DestinationPlan[] {
  const plans = new Array<DestinationPlan>(reader.varint())
  for (let i = 0; i < plans.length; i++) {
    plans[i] = {
      destinationId: reader.varint() as DestinationId,
      plannedAtMs: reader.difference(lastSeen) * 1000,
      mappingVersion: reader.varint(),
    }
  }
  return plans
}

function writeConsent(consent: StoredConsent, lastSeen: number): void {
  writer.reserve(8)
  writer.difference(seconds(consent.decidedAtMs), lastSeen)
  writer.text(consent.reason)
  writeNumbers(consent.deniedDestinations)
  writer.reserve(1 + FINGERPRINT_BYTES)
  const fingerprintBytes = consent.fingerprint === '' ? 0 : FINGERPRINT_BYTES
  writer.bytes[writer.at++] = fingerprintBytes
  if (fingerprintBytes === 0) return
  if (
    consent.fingerprint.length !== 16 ||
    writer.bytes.write(consent.fingerprint, writer.at, 'hex') !== FINGERPRINT_BYTES
  ) {
    throw new TypeError('a consent fingerprint is not 8 bytes in hexadecimal')
  }
  writer.at += FINGERPRINT_BYTES
}

function readConsent(lastSeen: number): StoredConsent {
  const decidedAtMs = reader.difference(lastSeen) * 1000
  const reason = reader.text()
  const deniedDestinations = readNumbers<DestinationId>()
  const fingerprintBytes = reader.bytes[reader.at++] as number
  const fingerprint = reader.bytes.toString('hex', reader.at, reader.at + fingerprintBytes)
  return { decidedAtMs, fingerprint, reason, deniedDestinations }
}
