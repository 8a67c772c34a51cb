/**
 * The page tag, served by the edge as `/tag.js`: events, declared IDs and consent of a web page. One file without imports,
 * so that the compiler's output is what is served. Nothing of it may throw into the page, block it, or act without
 * permission. Use: docs/tag.md. Source: spec/collection.md sections 2 to 6, 12.3; spec/security.md [SEC-73], [SEC-78].
 */
;(() => {
  type Plain = string | number | boolean
  type Signals = Record<string, Plain | readonly Plain[]>
  interface Sync {
    readonly id?: string
    readonly tag?: string
    readonly ttl?: number
    readonly url?: readonly string[]
  }
  interface Answer {
    readonly uuid?: string
    readonly ibs?: readonly Sync[]
    readonly errors?: readonly { readonly code: number }[]
  }
  /** Name and value of each signal, not yet encoded; a name may repeat. */
  type Pairs = readonly (readonly [string, string])[]
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
  }
  interface TcData {
    readonly eventStatus?: string
    readonly gdprApplies?: boolean
    readonly tcString?: string
    readonly purpose?: { readonly consents?: Record<number, boolean> }
  }
  type Tcfapi = (command: string, version: number, callback: (data: TcData, ok: boolean) => void) => void
  type Tag = { (...words: unknown[]): void; q?: ArrayLike<unknown>[]; loaded?: true }
  const page = window as unknown as { usher?: Tag; __tcfapi?: Tcfapi }

  /** As long as the edge keeps a profile that is not seen again. */
  const COOKIE_DAYS = 120
  const ID = /^\d{38}$/
  /** In place of an ID: who opted out is recognised without being one. Browsers keep no cookie for longer. */
  const OPTED_OUT = 'optout'
  const OPTED_OUT_DAYS = 400
  const SYNCS = 'usher.syncs'
  const WAITING_MAX = 100
  const ANSWER_WAIT_MS = 10_000
  const FORM = 'application/x-www-form-urlencoded'
  /** Browsers refuse `keepalive` above 64 KiB. */
  const KEEPALIVE_CHARACTERS_MAX = 60_000
  /** The edge took no consent from the call: whatever this browser holds of us has to go. */
  const NO_CONSENT_CODES = [313, 314, 315]
  const STATES = ['unknown', 'authenticated', 'logged_out']
  /** Keys the tag itself sets; a page that sets them would break the answer. */
  const OWN_KEYS = /^(d_(uuid|first|cid|cid_ic|rtbd|cb|jsonv|rd|consent)|gdpr(_consent)?)$/

  if (page.usher?.loaded === true) return
  const script = document.currentScript as HTMLScriptElement | null
  const source = /^https?:\/\/[^/]+/.exec(script?.src ?? '')
  if (script === null || source === null) {
    console.warn('usher: load tag.js by <script src>, and not as a module')
    return
  }
  const [edge] = source
  const { consent: consentSetting, cookieDomain } = script.dataset

  const waiting: Call[] = []
  /** Opt-outs and withdrawals: told before all else, whatever was consented to. */
  const wishes: Call[] = []
  const declared = new Map<string, string>()
  const listeners: ((report: Report) => void)[] = []
  /** Data sources whose ID sync this page has loaded. */
  const synced = new Set<string>()
  let isSending = false
  /** What the cookie would hold, where the browser keeps none. */
  let memory: string | undefined
  /** Declared since the last call was built. */
  let hasNews = false
  /** What the page said itself; undefined until it does. */
  let said: boolean | undefined
  let tcf: TcData | 'asked' | undefined

  // --- permission

  /** `wait`: nobody has decided yet, so calls are held in memory and nothing is stored or sent. */
  function permission(): 'yes' | 'no' | 'wait' {
    if (said === false) return 'no'
    if (tcf === 'asked') return 'wait'
    const isDecided = said === true || consentSetting !== 'required'
    const isGiven = tcf?.gdprApplies === true ? isGranted(tcf) : isDecided
    // Last, because without consent the browser's memory is not even read.
    if (isGiven) return mark() === OPTED_OUT ? 'no' : 'yes'
    return tcf?.gdprApplies === true ? 'no' : 'wait'
  }

  /** Purposes 1 and 10; the edge checks the rest of the string: vendors, restrictions, who wrote it [COL-240]. */
  function isGranted({ purpose, tcString }: TcData): boolean {
    return !!tcString && purpose?.consents?.[1] === true && purpose.consents[10] === true
  }

  /** Once, as soon as the page has a consent platform; it calls back on every change. */
  function watchConsent(): void {
    if (tcf !== undefined || typeof page.__tcfapi !== 'function') return
    tcf = 'asked'
    page.__tcfapi(
      'addEventListener',
      2,
      guarded((data: TcData, ok: boolean) => {
        // The platform does not know yet, or the visitor is looking at the question.
        if (!ok || data.gdprApplies === undefined || (data.eventStatus === 'cmpuishown' && data.gdprApplies)) return
        tcf = data
        flush()
      }),
    )
  }

  // --- what the browser keeps

  /** An ID, the text of a first visit, the mark of an opt-out, or nothing. A sandboxed frame forbids even to look. */
  function mark(): string | undefined {
    try {
      return /(?:^|; )usher_id=([\d-]{9,}|optout)(?:;|$)/.exec(document.cookie)?.[1] ?? memory
    } catch {
      return memory
    }
  }

  /** What calls name the visitor by. Before the edge has said an ID, all calls of all tabs carry one text of a first visit. */
  function name(): string {
    const value = mark() ?? OPTED_OUT
    return value === OPTED_OUT ? '' : `${ID.test(value) ? 'd_uuid' : 'd_first'}=${value}`
  }

  function keep(value: string, days: number): void {
    memory = undefined
    try {
      // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is missing in browsers that are in use.
      document.cookie =
        `usher_id=${value}; Path=/; Max-Age=${days * 86_400}; SameSite=Lax` +
        (location.protocol === 'https:' ? '; Secure' : '') +
        (cookieDomain ? `; Domain=${cookieDomain}` : '')
    } catch {
      // No cookies.
    }
    if (value !== '' && mark() !== value) memory = value
  }

  /** The edge hears of it where it has heard of the visitor: partners, and its own cookie, are out of our reach. */
  function forget(): void {
    const known = name()
    if (known !== '') {
      wish('/demoptout/consent', known)
      keep('', 0)
    }
    declared.clear()
    hasNews = false
    try {
      localStorage.removeItem(SYNCS)
    } catch {
      // No storage, nothing in it.
    }
  }

  // --- sending

  function bodyOf(pairs: Pairs): string {
    if (mark() === undefined) keep(crypto.getRandomValues(new Uint32Array(4)).join('-'), COOKIE_DAYS)
    const parts = ['d_rtbd=json', 'd_jsonv=1', name()]
    const add = (name: string, value: string) => parts.push(`${encode(name)}=${encode(value)}`)
    if (tcf !== 'asked' && tcf?.gdprApplies === true) {
      add('gdpr', '1')
      add('gdpr_consent', tcf.tcString ?? '')
    }
    if (said === true) add('d_consent', '1')
    for (const [name, value] of pairs) add(name, value)
    // Encoded in parts already: a raw %01 stands between them [COL-80].
    hasNews = false
    declared.forEach((value, name) => {
      parts.push(`${name.startsWith('d_cid_ic ') ? 'd_cid_ic' : 'd_cid'}=${value}`)
    })
    // The page's address without query and fragment, where personal data tends to be [COL-23]; a file has none to tell.
    const isOnline = /^https?:$/.test(location.protocol)
    if (isOnline && !pairs.some(([name]) => name === 'h_referer')) add('h_referer', location.origin + location.pathname)
    return parts.join('&')
  }

  /** One call after the other: they arrive in order, and the second carries the ID that the first one's answer gives. */
  function flush(): void {
    const may = permission()
    if (may === 'no') {
      for (const call of waiting.splice(0)) tell(call, 'refused')
      forget()
    }
    if (isSending) return
    const call = wishes.shift() ?? (may === 'yes' ? waiting.shift() : undefined)
    if (call !== undefined) void send(call)
  }

  async function send(call: Call): Promise<void> {
    isSending = true
    const late = new AbortController()
    const timer = setTimeout(() => late.abort(), ANSWER_WAIT_MS)
    try {
      const body = call.body()
      const response = await fetch(edge + call.path, {
        method: 'POST',
        credentials: 'include',
        keepalive: body.length < KEEPALIVE_CHARACTERS_MAX,
        headers: { 'Content-Type': FORM },
        body,
        signal: late.signal,
      })
      const answer = (await response.json()) as Answer
      if (permission() === 'yes') guarded(learn)(answer)
      tell(call, 'answered', answer)
    } catch {
      // Also what could not be built: one bad call never holds up the next. An opt-out is told once more, another way.
      if (call.pairs === undefined) beacon(call)
      tell(call, 'failed')
    }
    clearTimeout(timer)
    isSending = false
    guarded(flush)()
  }

  /** On leaving there is no time for answers: what still waits goes as beacons. */
  function leave(): void {
    for (const call of wishes.splice(0).concat(permission() === 'yes' ? waiting.splice(0) : [])) {
      tell(call, beacon(call) ? 'left' : 'failed')
    }
  }

  function beacon({ path, body }: Call): boolean {
    return navigator.sendBeacon(edge + path, new Blob([body()], { type: FORM }))
  }

  // --- answers

  function learn({ uuid, errors = [], ibs = [] }: Answer): void {
    if (typeof uuid === 'string' && ID.test(uuid)) keep(uuid, COOKIE_DAYS)
    // An opted-out visitor (171) keeps the ID by which the opt-out is known.
    else if (errors.some(({ code }) => NO_CONSENT_CODES.includes(code))) forget()
    // The browser sends `Sec-GPC` to the edge itself; here it stops the partners' syncs [SEC-78].
    if ((navigator as { globalPrivacyControl?: boolean }).globalPrivacyControl === true) return
    for (const sync of ibs) if (isDue(sync)) for (const url of sync.url ?? []) guarded(fire)(sync, url)
  }

  /** The edge remembers syncs in a cookie of its own, which many browsers block: so the page remembers too. */
  function isDue({ id = '', ttl = 0 }: Sync): boolean {
    if (synced.has(id)) return false
    synced.add(id)
    const age = Date.now() - (syncTimes()[id] ?? 0)
    return !(age >= 0 && age < ttl * 60_000)
  }

  /** When which partner's sync had arrived; nothing where there is no storage, and then each page syncs. */
  function syncTimes(): Record<string, number> {
    try {
      return Object.assign(Object.create(null), JSON.parse(localStorage.getItem(SYNCS) ?? '{}'))
    } catch {
      return {}
    }
  }

  /** Not before it arrived: who leaves at once is synced on the next page. */
  function remember(id: string): void {
    if (permission() !== 'yes') return
    try {
      localStorage.setItem(SYNCS, JSON.stringify({ ...syncTimes(), [id]: Date.now() }))
    } catch {
      // No storage.
    }
  }

  function fire({ tag, id = '' }: Sync, url: string): void {
    const address = new URL(url, location.href)
    if (!/^https?:$/.test(address.protocol)) return
    const arrived = () => remember(id)
    if (tag !== 'iframe') {
      const image = new Image(1, 1)
      image.onload = image.onerror = arrived
      image.referrerPolicy = 'no-referrer'
      image.src = address.href
      return
    }
    const frame = document.createElement('iframe')
    frame.setAttribute('sandbox', 'allow-scripts allow-same-origin')
    frame.referrerPolicy = 'no-referrer'
    frame.hidden = true
    frame.onload = arrived
    frame.src = address.href
    document.documentElement.appendChild(frame)
  }

  // --- what a page can say

  const commands: Record<string, (...words: never[]) => void> = {
    event(signals: Signals = {}) {
      if (typeof signals !== 'object') throw new TypeError("usher('event', { name: value })")
      hold(pairsOf(signals))
    },
    /** @param source a data source's number, or its integration code */
    identify(source: string | number, id: string | number, state?: string) {
      const text = isPlain(id) ? String(id).trim() : ''
      if (!isPlain(source) || text === '') throw new TypeError("usher('identify', dataSource, id, state)")
      if (state !== undefined && !STATES.includes(state)) throw new TypeError(`state is one of ${STATES.join(', ')}`)
      const key = /^\d+$/.test(String(source)) ? 'd_cid' : 'd_cid_ic'
      const suffix = state === undefined ? '' : `%01${STATES.indexOf(state)}`
      declared.set(`${key} ${source}`, `${encode(String(source))}%01${encode(text)}${suffix}`)
      hasNews = true
      // An event of the same task carries it; else it goes alone.
      setTimeout(guarded(() => hasNews && waiting.length === 0 && hold([])))
    },
    consent(given: boolean) {
      if (typeof given !== 'boolean') throw new TypeError("usher('consent', true) or usher('consent', false)")
      said = given
      flush()
    },
    /** Both the visitor as this site knows him and the browser as the edge does; then quiet, on later pages too. */
    optout() {
      for (const known of new Set([name(), ''])) wish('/demoptout.jpg', known)
      keep(OPTED_OUT, OPTED_OUT_DAYS)
      said = false
      flush()
    },
    on(listener: (report: Report) => void) {
      if (typeof listener !== 'function') throw new TypeError("usher('on', function)")
      listeners.push(listener)
    },
  }

  function hold(pairs: Pairs): void {
    watchConsent()
    if (waiting.length >= WAITING_MAX) tell(waiting.shift() as Call, 'failed')
    waiting.push({ path: '/event', body: () => bodyOf(pairs), pairs })
    flush()
  }

  function wish(path: string, known: string): void {
    wishes.push({ path, body: () => `d_rtbd=json&${known}` })
  }

  /** `category` is sent as `c_category`; names that have a prefix of the platform keep it. */
  function pairsOf(signals: Signals): [string, string][] {
    return Object.keys(signals).flatMap((name) => {
      const key = /^[cdhp]_/.test(name) ? name : `c_${name}`
      const values = ([] as unknown[]).concat(signals[name] as unknown).filter(isPlain)
      return OWN_KEYS.test(key) ? [] : values.map((value): [string, string] => [key, String(value)])
    })
  }

  function isPlain(value: unknown): value is Plain {
    return ['string', 'number', 'boolean'].includes(typeof value)
  }

  /** A lone surrogate, which no encoding has, becomes the replacement character. */
  function encode(text: string): string {
    return encodeURIComponent(text.replace(/[\ud800-\udfff]/gu, '\ufffd'))
  }

  function tell({ pairs: signals }: Call, status: Report['status'], answer?: Answer): void {
    if (signals !== undefined)
      for (const listener of listeners) guarded(listener)({ status, signals, ...(answer && { answer }) })
  }

  /** The same function, whose failure is a line in the console. */
  function guarded<Words extends unknown[]>(act: (...words: Words) => void): (...words: Words) => void {
    return (...words) => {
      try {
        act(...words)
      } catch (error) {
        console.warn('usher:', error)
      }
    }
  }

  const run = guarded((...words: unknown[]) => {
    const command = new Map(Object.entries(commands)).get(String(words[0]))
    if (command === undefined) throw new TypeError(`no command "${words[0]}"`)
    ;(command as (...rest: unknown[]) => void)(...words.slice(1))
  }) as Tag
  run.loaded = true

  guarded(() => {
    const early = page.usher?.q
    page.usher = run
    watchConsent()
    addEventListener('pagehide', guarded(leave))
    const onHidden = guarded(() => document.visibilityState === 'hidden' && leave())
    addEventListener('visibilitychange', onHidden)
    for (const words of Array.from(early ?? [])) run(...Array.from(words))
  })()
})()
