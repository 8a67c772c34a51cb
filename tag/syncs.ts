import { permission } from './consent.ts'
import { guarded } from './page.ts'

/** ID syncs that an answer asks for. Source: spec/collection.md section 12.3; spec/security.md [SEC-78]. */
export interface Sync {
  readonly id?: string
  readonly tag?: string
  readonly ttl?: number
  readonly url?: readonly string[]
}

const SYNCS = 'usher.syncs'
/** Data sources whose ID sync this page has loaded. */
const synced = new Set<string>()

export function fireDue(syncs: readonly Sync[]): void {
  // The browser sends `Sec-GPC` to the edge itself; here it stops the partners' syncs [SEC-78].
  if ((navigator as { globalPrivacyControl?: boolean }).globalPrivacyControl === true) return
  for (const sync of syncs) if (isDue(sync)) for (const url of sync.url ?? []) guarded(fire)(sync, url)
}

export function forgetSyncs(): void {
  try {
    localStorage.removeItem(SYNCS)
  } catch {
    // No storage, nothing in it.
  }
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
