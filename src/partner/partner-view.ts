import type { Behaviour } from './behaviour.ts'
import { OwedMessages } from './owed-messages.ts'
import type { Partner, PartnerRecord } from './partner.ts'

/** What the partner's page shows, ready to be written into it as text. */
export interface PartnerView {
  readonly behaviour: string
  readonly received: number
  readonly accepted: number
  readonly refused: number
  /** Messages that were refused and have not come again, nor were replaced by newer ones: the sender still owes them. */
  readonly owed: number
  /** Messages that were refused at first and arrived later. */
  readonly recovered: number
  /** Newest first. */
  readonly messages: readonly MessageView[]
  /** By name; the largest where there are more than can be shown. */
  readonly audiences: readonly AudienceView[]
  /** The partner's ID of the browser that looks at the page, when it has one. */
  readonly you: string | undefined
}

export interface MessageView {
  readonly number: number
  readonly at: string
  readonly users: readonly { readonly id: string; readonly joined: string[]; readonly left: string[] }[]
  readonly signature: 'verified' | 'wrong' | 'missing' | 'not_asked'
  readonly shape: 'good' | 'bad'
  readonly complaints: readonly string[]
  readonly answer: string
  /** The message had been refused before. */
  readonly isRepeat: boolean
}

export interface AudienceView {
  readonly id: string
  readonly name: string
  readonly size: number
  /** The last who joined, newest first. */
  readonly latest: readonly string[]
  /** The browser that looks at the page is in it. */
  readonly isYours: boolean
}

const MESSAGES_MAX = 30
const LATEST_MAX = 8
const IDS_MAX = 10_000
// A hostile message must not make the picture of it large.
const NAMES_MAX = 20
const COMPLAINTS_MAX = 5
const AUDIENCES_MAX = 50
const LISTS_MAX = 1000
const TEXT_MAX = 120

/** How the partner can be told to behave on its page. */
export const PRESETS: ReadonlyMap<string, Behaviour> = new Map<string, Behaviour>([
  ['fine', {}],
  ['slow', { delayMs: 3000 }],
  ['flaky', { failRate: 0.5 }],
  ['down', { answer: 503 }],
  ['reset', { resetRate: 1 }],
])

export function presetOf(behaviour: Behaviour): string {
  const text = JSON.stringify(behaviour)
  return [...PRESETS].find(([, preset]) => JSON.stringify(preset) === text)?.[0] ?? 'own'
}

/** Follows the messages of a partner; `view` is what stands now. */
export function followPartner(partner: Partner, nameOf: (segmentId: string) => string) {
  const owed = new OwedMessages(IDS_MAX)
  const messages: MessageView[] = []
  const latest = new Map<string, string[]>()
  let [accepted, refused, recovered] = [0, 0, 0]

  const follow = (record: PartnerRecord) => {
    const id = record.headers['webhook-id']
    const isAccepted = typeof record.answer === 'number' && record.answer >= 200 && record.answer < 300
    const isRepeat = typeof id === 'string' && owed.has(id)
    if (isAccepted) accepted++
    else refused++
    for (const { segmentId, partnerId, what } of record.changes) {
      const others = (latest.get(segmentId) ?? []).filter((one) => one !== partnerId)
      latest.set(segmentId, what === 'joined' ? [partnerId, ...others].slice(0, LATEST_MAX) : others)
      const [oldest] = latest.keys()
      if (latest.size > LISTS_MAX && oldest !== undefined) latest.delete(oldest)
    }
    if (typeof id === 'string') recovered += owed.received(id, record.message, isAccepted)
    messages.unshift(messageView(record, isRepeat, nameOf))
    if (messages.length > MESSAGES_MAX) messages.pop()
  }
  for (const record of partner.records) follow(record)
  partner.onMessage(follow)

  return (you: string | undefined): PartnerView => ({
    behaviour: presetOf(partner.behaviour),
    received: accepted + refused,
    accepted,
    refused,
    owed: owed.size,
    recovered,
    messages,
    audiences: [...partner.state.sizes()]
      .sort(([, a], [, b]) => b - a)
      .slice(0, AUDIENCES_MAX)
      .map(([id, size]) => ({
        id: cut(id),
        name: cut(nameOf(id)),
        size,
        latest: (latest.get(id) ?? []).map(cut),
        isYours: you !== undefined && partner.state.isIn(id, you),
      }))
      .sort((a, b) => a.name.localeCompare(b.name, 'en')),
    you,
  })
}

function messageView(record: PartnerRecord, isRepeat: boolean, nameOf: (segmentId: string) => string): MessageView {
  const { message, changes, signature, complaints, answer } = record
  // A message has ten at most [OUT-38].
  const users = (message?.Users ?? []).map(({ AAM_UUID: device, DataPartner_UUID: id }) => {
    const own = changes.filter(({ partnerId, deviceId }) => partnerId === id && deviceId === device)
    const names = (what: 'joined' | 'left') =>
      own.filter((change) => change.what === what).map(({ segmentId }) => cut(nameOf(segmentId)))
    return { id: cut(id), joined: names('joined').slice(0, NAMES_MAX), left: names('left').slice(0, NAMES_MAX) }
  })
  return {
    number: record.number,
    at: new Date(record.receivedAtMs).toISOString(),
    users,
    signature: signature.status,
    shape: message === undefined ? 'bad' : 'good',
    complaints: complaints.slice(0, COMPLAINTS_MAX).map(cut),
    answer: answer === 'reset' ? 'connection reset' : String(answer),
    isRepeat,
  }
}

function cut(text: string): string {
  return text.length <= TEXT_MAX ? text : `${text.slice(0, TEXT_MAX)}…`
}
