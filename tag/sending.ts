import { consentPairs, permission, tellTabs } from './consent.ts'
import { edge, guarded, warn, warnOnce } from './page.ts'
import { encode, type Pairs } from './signals.ts'
import { fireDue, forgetSyncs, type Sync } from './syncs.ts'
import { COOKIE_DAYS, drop, ID, keep, mark, name } from './visitor.ts'

/** Calls on their way: in order, one after the other, and what becomes of them when there is no time left. */

interface Answer {
  readonly uuid?: string
  readonly ibs?: readonly Sync[]
  readonly errors?: readonly { readonly code: number; readonly msg?: string }[]
}

interface Call {
  readonly path: string
  /** Built when it is sent, with what is known by then. */
  body(): string
  /** Undefined for what is no event. */
  readonly pairs?: Pairs
}

/** What listeners of `usher('on', ...)` hear about each event, in the end. */
interface Report {
  readonly status: 'answered' | 'left' | 'failed' | 'refused'
  readonly signals: Pairs
  readonly answer?: Answer
  /** Why it was refused or failed, in the words of the console. */
  readonly reason?: string
}
export type Listener = (report: Report) => void

/** Events that wait for consent or for their turn; the newest beyond it are refused. */
const WAITING_MAX = 1000
const ANSWER_WAIT_MS = 10_000
/** The edge blocks an ID for an hour that makes more than 120 calls in 60 s [COL-146]; other tabs have some left. */
const EVENTS_A_MINUTE_MAX = 100
const MINUTE_MS = 60_000
const FORM = 'application/x-www-form-urlencoded'
/** What the edge processes of one call [COL-15], [SEC-01]. */
const BODY_CHARACTERS_MAX = 32_768
const PARAMETERS_MAX = 1000
/** Browsers let 64 KiB outlive a page, beacons and `keepalive` together. */
const KEEPALIVE_CHARACTERS_MAX = 60_000
/** The edge took no consent from the call: whatever this browser holds of us has to go. */
const NO_CONSENT_CODES = [313, 314, 315]
const NO_CONSENT = 'no consent, or an opt-out'

const waiting: Call[] = []
/** Opt-outs and withdrawals: told before all else, whatever was consented to. */
const wishes: Call[] = []
const listeners: Listener[] = []
const declared = new Map<string, string>()
/** Events of this moment that will never be sent, by reason. */
const unsent = new Map<string, Call[]>()
/** When the events of the last minute were sent. */
const sentMs: number[] = []
let isSending = false
let isPaused = false
/** Declared since the last call was built. */
let hasNews = false
/** Handed over as beacons since the page was last in sight; they may still be on their way. */
let beaconCharacters = 0

export function listen(listener: Listener): void {
  listeners.push(listener)
}

/** @param value source, ID and state, each encoded already: a raw %01 stands between them [COL-80] */
export function declare(key: string, source: string, value: string): void {
  declared.set(`${key} ${source}`, `${key}=${value}`)
  hasNews = true
  // An event of the same task carries it; else it goes alone.
  setTimeout(guarded(() => hasNews && waiting.length === 0 && hold([])))
}

export function hold(pairs: Pairs): void {
  const call: Call = { path: '/event', body: () => bodyOf(pairs), pairs }
  if (waiting.length < WAITING_MAX) waiting.push(call)
  else fail(call, 'refused', `${WAITING_MAX} wait already`)
  flush()
}

export function wish(path: string, known: string): void {
  wishes.push({ path, body: () => `d_rtbd=json&${known}` })
}

/** One call after the other: they arrive in order, and the second carries the ID that the first one's answer gives. */
export function flush(): void {
  const may = permission()
  if (may === 'no') {
    for (const call of waiting.splice(0)) fail(call, 'refused', NO_CONSENT)
    forget()
  }
  if (isSending) return
  const call = wishes.shift() ?? (may === 'yes' && mayCall() ? waiting.shift() : undefined)
  if (call !== undefined) void send(call)
  else if (may === 'yes' && waiting.length > 0 && !isPaused) {
    isPaused = true
    setTimeout(goOn, (sentMs[0] as number) + MINUTE_MS - performance.now())
  }
}

const goOn = guarded(() => {
  isPaused = false
  flush()
})

function mayCall(): boolean {
  while ((sentMs[0] as number) <= performance.now() - MINUTE_MS) sentMs.shift()
  return sentMs.length < EVENTS_A_MINUTE_MAX
}

/** On leaving there is no time for answers: what still waits goes as beacons, as far as the browser takes them. */
export function leave(): void {
  const calls = wishes.splice(0).concat(permission() === 'yes' ? waiting.splice(0) : [])
  for (const call of calls) {
    if (beacon(call)) tell(call, { status: 'left' })
    // The page may live on: it may be in the background only, or come back.
    else (call.pairs === undefined ? wishes : waiting).push(call)
  }
}

/** The page ends, as far as anybody can say. */
export function end(): void {
  leave()
  const lost = permission() === 'yes' ? waiting : []
  if (lost.length > 0) warnUnsent(lost, 'a page that ends sends 64 KB, and 100 events a minute')
}

/** Beacons of before have arrived by now. */
export function comeBack(): void {
  beaconCharacters = 0
  flush()
}

/** The edge hears of it where it has heard of the visitor: partners, and its own cookie, are out of our reach. */
function forget(): void {
  const known = name()
  if (known !== '') {
    wish('/demoptout/consent', known)
    drop()
    tellTabs()
  }
  declared.clear()
  hasNews = false
  forgetSyncs()
}

function bodyOf(pairs: Pairs): string {
  if (mark() === undefined) keep(crypto.getRandomValues(new Uint32Array(4)).join('-'), COOKIE_DAYS)
  const parts = ['d_rtbd=json', 'd_jsonv=1', name()]
  for (const [name, value] of [...consentPairs(), ...pairs]) parts.push(`${encode(name)}=${encode(value)}`)
  hasNews = false
  parts.push(...Array.from(declared.values()))
  // The page's address without query and fragment, where personal data tends to be [COL-23]; a file has none to tell.
  const isOnline = /^https?:$/.test(location.protocol)
  if (isOnline && !pairs.some(([name]) => name === 'h_referer')) {
    parts.push(`h_referer=${encode(location.origin + location.pathname)}`)
  }
  return parts.join('&')
}

/** @returns undefined where the edge would take nothing of it; that is told here */
function buildBody(call: Call): string | undefined {
  const body = call.body()
  if (body.length > BODY_CHARACTERS_MAX || body.split('&').length > PARAMETERS_MAX) {
    fail(call, 'refused', 'more than 32 KB or 1000 values')
    return undefined
  }
  if (call.pairs !== undefined) sentMs.push(performance.now())
  return body
}

async function send(call: Call): Promise<void> {
  isSending = true
  const late = new AbortController()
  const timer = setTimeout(() => late.abort(), ANSWER_WAIT_MS)
  try {
    const body = buildBody(call)
    if (body !== undefined) {
      const response = await fetch(edge + call.path, {
        method: 'POST',
        credentials: 'include',
        keepalive: body.length + beaconCharacters < KEEPALIVE_CHARACTERS_MAX,
        headers: { 'Content-Type': FORM },
        body,
        signal: late.signal,
      })
      const answer = (await response.json()) as Answer
      if (permission() === 'yes') guarded(learn)(answer)
      for (const { code, msg } of answer.errors ?? []) warnOnce(`the edge answers ${code}: ${msg}`)
      tell(call, { status: 'answered', answer })
    }
  } catch {
    // Also what could not be built: one bad call never holds up the next. An opt-out is told once more, another way.
    if (call.pairs !== undefined) fail(call, 'failed', 'no answer')
    else if (!beacon(call)) warn(`${call.path} did not reach the edge`)
  }
  clearTimeout(timer)
  isSending = false
  guarded(flush)()
}

/** @returns false where the browser does not take it now */
function beacon(call: Call): boolean {
  try {
    if (call.pairs !== undefined && !mayCall()) return false
    const body = buildBody(call)
    if (body === undefined) return true
    if (!navigator.sendBeacon(edge + call.path, new Blob([body], { type: FORM }))) return false
    beaconCharacters += body.length
    return true
  } catch {
    return false
  }
}

function learn({ uuid, errors = [], ibs = [] }: Answer): void {
  if (typeof uuid === 'string' && ID.test(uuid)) keep(uuid, COOKIE_DAYS)
  // An opted-out visitor (171) keeps the ID by which the opt-out is known.
  else if (errors.some(({ code }) => NO_CONSENT_CODES.includes(code))) forget()
  fireDue(ibs)
}

function fail(call: Call, status: 'failed' | 'refused', reason: string): void {
  tell(call, { status, reason })
  if (reason === NO_CONSENT) {
    // Who said no is not to fill the console of every page.
    warnOnce(`events are not sent: ${reason}`)
    return
  }
  if (unsent.size === 0) setTimeout(warnOfUnsent)
  unsent.set(reason, (unsent.get(reason) ?? []).concat(call))
}

function warnOfUnsent(): void {
  unsent.forEach(warnUnsent)
  unsent.clear()
}

function warnUnsent(calls: readonly Call[], why: string): void {
  warn(
    `${calls.length} event(s) not sent: ${why}`,
    calls.map(({ pairs }) => pairs),
  )
}

function tell({ pairs: signals }: Call, rest: Omit<Report, 'signals'>): void {
  if (signals === undefined) return
  for (const listener of listeners) guarded(listener)({ signals, ...rest })
}
