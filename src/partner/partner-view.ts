import type { Behaviour } from './behaviour.ts'
import type { Partner, PartnerRecord } from './partner.ts'

/** What the partner's page shows, ready to be written into it as text. */
export interface PartnerView {
  readonly behaviour: string
  readonly received: number
  readonly accepted: number
  readonly refused: number
  /** Messages that were refused and have not come again yet: the sender still owes them. */
  readonly owed: number
  /** Messages that were refused at first and arrived later. */
  readonly recovered: number
  /** Newest first. */
  readonly messages: readonly MessageView[]
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
}

const MESSAGES_MAX = 30
const LATEST_MAX = 8
const IDS_MAX = 10_000

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
  const owed = new Set<string>()
  const messages: MessageView[] = []
  let [accepted, refused, recovered] = [0, 0, 0]

  const follow = (record: PartnerRecord) => {
    const id = record.headers['webhook-id']
    const isAccepted = typeof record.answer === 'number' && record.answer >= 200 && record.answer < 300
    const isRepeat = typeof id === 'string' && owed.has(id)
    if (isAccepted) accepted++
    else refused++
    if (isAccepted && isRepeat) {
      owed.delete(id)
      recovered++
    } else if (!isAccepted && typeof id === 'string') owed.add(id)
    const [oldest] = owed
    if (owed.size > IDS_MAX && oldest !== undefined) owed.delete(oldest)
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
    audiences: audienceViews(partner, nameOf),
    you,
  })
}

function messageView(record: PartnerRecord, isRepeat: boolean, nameOf: (segmentId: string) => string): MessageView {
  const { message, changes, signature, complaints, answer } = record
  const users = (message?.Users ?? []).map((user) => {
    const own = changes.filter(({ partnerId }) => partnerId === user.DataPartner_UUID)
    const names = (what: 'joined' | 'left') =>
      own.filter((change) => change.what === what).map(({ segmentId }) => nameOf(segmentId))
    return { id: user.DataPartner_UUID, joined: names('joined'), left: names('left') }
  })
  return {
    number: record.number,
    at: new Date(record.receivedAtMs).toISOString(),
    users,
    signature: signature.status,
    shape: message === undefined ? 'bad' : 'good',
    complaints,
    answer: answer === 'reset' ? 'connection reset' : String(answer),
    isRepeat,
  }
}

function audienceViews(partner: Partner, nameOf: (segmentId: string) => string): AudienceView[] {
  const members = new Map<string, string[]>()
  for (const { segmentId, partnerId, isMember } of partner.state.entries()) {
    const list = members.get(segmentId) ?? []
    members.set(segmentId, list)
    if (isMember) list.push(partnerId)
  }
  return [...members]
    .map(([id, list]) => ({ id, name: nameOf(id), size: list.length, latest: list.slice(-LATEST_MAX).reverse() }))
    .sort((a, b) => a.name.localeCompare(b.name, 'en'))
}
