/** Keys by which a call says something about privacy; they count in any spelling of their letters. */
export type PrivacyKey = 'gdpr' | 'gdpr_consent' | 'gpp' | 'gpp_sid' | 'us_privacy' | 'd_coppa' | 'd_consent'

const keys: ReadonlySet<string> = new Set<PrivacyKey>([
  'gdpr',
  'gdpr_consent',
  'gpp',
  'gpp_sid',
  'us_privacy',
  'd_coppa',
  'd_consent',
])
const KEY_CHARACTERS_MAX = 12

/** Nearly every key is told apart by its first letter and its length. */
export function privacyKeyOf(key: string): PrivacyKey | undefined {
  const first = key.charCodeAt(0) | 0x20
  if (key.length > KEY_CHARACTERS_MAX || (first !== 0x67 && first !== 0x75 && first !== 0x64)) return undefined
  const lower = key.toLowerCase()
  return keys.has(lower) ? (lower as PrivacyKey) : undefined
}

/**
 * Every value that path, query and body of one call give for its privacy keys, decoded and otherwise untouched: the
 * strictest of them counts, so none may be lost [COL-275].
 */
export class PrivacyFlags {
  #values: Map<PrivacyKey, Set<string>> | undefined

  get isEmpty(): boolean {
    return this.#values === undefined
  }

  add(key: PrivacyKey, value: string): void {
    this.#values ??= new Map()
    const values = this.#values.get(key)
    if (values === undefined) this.#values.set(key, new Set([value]))
    else values.add(value)
  }

  /** Different values, in order; an empty one was not given, as ad servers leave what does not concern a visitor. */
  given(key: PrivacyKey): readonly string[] {
    return this.all(key).filter((value) => value !== '')
  }

  all(key: PrivacyKey): readonly string[] {
    return [...(this.#values?.get(key) ?? [])]
  }
}

/**
 * Does GDPR apply? Only `0` says that it does not; an empty value says nothing, unless a consent string stands beside it.
 * `unreadable`: it applies because no value says what it should, as with `true` or a macro that was not replaced [COL-275].
 */
export function gdprOf(flags: PrivacyFlags): 'free' | 'applies' | 'unreadable' {
  if (flags.isEmpty) return 'free'
  const hasString = flags.given('gdpr_consent').length > 0
  const applying = flags.all('gdpr').filter((value) => value !== '0' && (value !== '' || hasString))
  if (applying.length === 0) return 'free'
  return applying.includes('1') ? 'applies' : 'unreadable'
}

/** A child's page, unless each value says plainly that it is none [COL-54], [COL-275]. */
export function isChildsPage(flags: PrivacyFlags): boolean {
  return !flags.isEmpty && flags.given('d_coppa').some((value) => value !== 'false' && value !== '0')
}
