/**
 * The page tag, served by the edge as `/tag.js`: events, declared IDs and consent of a web page. Built into one classic
 * script. Nothing of it may throw into the page, block it, or act without permission. Use: docs/tag.md. Source:
 * spec/collection.md sections 2 to 6, 12.3; spec/security.md [SEC-73], [SEC-78].
 */
import { checkSettings, isDocumented, say, watchPlatform, watchTabs } from './consent.ts'
import { edge, guarded, page, type Tag, warn, warnOnce } from './page.ts'
import { comeBack, declare, end, flush, hold, type Listener, leave, listen, wish } from './sending.ts'
import { encode, isPlain, pairsOf, TEXT_CHARACTERS_MAX } from './signals.ts'
import { keep, name, OPTED_OUT, OPTED_OUT_DAYS } from './visitor.ts'

const STATES = ['unknown', 'authenticated', 'logged_out']

/** What a page can say. */
const commands: Record<string, (...words: never[]) => void> = {
  event(signals: Record<string, unknown>) {
    if (typeof signals !== 'object' || signals === null || Array.isArray(signals)) {
      throw new TypeError("usher('event', { name: value })")
    }
    const { d_consent, ...rest } = signals
    if ('d_consent' in signals) decide(d_consent)
    const pairs = pairsOf(rest)
    watchPlatform(flush)
    hold(pairs)
  },
  /** @param source a data source's number, or its integration code */
  identify(source: unknown, id: unknown, state?: string) {
    const text = isPlain(id) ? String(id).trim() : ''
    if (!isPlain(source) || text === '') throw new TypeError("usher('identify', dataSource, id, state)")
    if (state !== undefined && !STATES.includes(state)) throw new TypeError(`state is one of ${STATES.join(', ')}`)
    const key = /^\d+$/.test(String(source)) ? 'd_cid' : 'd_cid_ic'
    const suffix = state === undefined ? '' : `%01${STATES.indexOf(state)}`
    const value = `${encode(String(source))}%01${encode(text)}${suffix}`
    if (value.length > TEXT_CHARACTERS_MAX) throw new TypeError(`an ID has at most ${TEXT_CHARACTERS_MAX} characters`)
    declare(key, String(source), value)
  },
  consent: decide,
  /** Both the visitor as this site knows him and the browser as the edge does; then quiet, on later pages too. */
  optout() {
    for (const known of new Set([name(), ''])) wish('/demoptout.jpg', known)
    keep(OPTED_OUT, OPTED_OUT_DAYS)
    say(false)
    flush()
  },
  on(listener: Listener) {
    if (typeof listener !== 'function') throw new TypeError("usher('on', function)")
    listen(listener)
  },
}

function decide(given: unknown): void {
  say(given)
  flush()
  if (!isDocumented(given)) warnOnce(`consent ${JSON.stringify(given)} counts as no: say true or false`)
}

const run = guarded((...words: unknown[]) => {
  const command = new Map(Object.entries(commands)).get(String(words[0]))
  if (command === undefined) throw new TypeError(`no command "${words[0]}"`)
  ;(command as (...rest: unknown[]) => void)(...words.slice(1))
}) as Tag
run.loaded = true

function start(): void {
  const early = page.usher?.q
  page.usher = run
  checkSettings()
  watchPlatform(flush)
  watchTabs(flush)
  addEventListener('pagehide', guarded(end))
  const onVisibility = guarded(() => (document.visibilityState === 'hidden' ? leave() : comeBack()))
  addEventListener('visibilitychange', onVisibility)
  for (const words of Array.from(early ?? [])) run(...Array.from(words))
}

if (page.usher?.loaded !== true) {
  if (edge === undefined) warn('load tag.js by <script src>, and not as a module')
  else guarded(start)()
}
