import { en } from './en.ts'
import { fr } from './fr.ts'
import { sv } from './sv.ts'

export type WordKey = keyof typeof en
export type Words = Readonly<Record<WordKey, string>>
export const LANGUAGES: Readonly<Record<Language, { readonly name: string; readonly words: Words }>> = {
  en: { name: 'English', words: en },
  fr: { name: 'Français', words: fr },
  sv: { name: 'Svenska', words: sv },
}
export type Language = 'en' | 'fr' | 'sv'

const KEPT_AS = 'usher-language'

/** The user's choice, then the browser's first language that we have, then English. */
export function chooseLanguage(kept: string | null, wanted: readonly string[]): Language {
  const candidates = [kept ?? '', ...wanted].map((tag) => tag.slice(0, 2).toLowerCase())
  return (candidates.find((tag) => Object.hasOwn(LANGUAGES, tag)) as Language | undefined) ?? 'en'
}

export const keptLanguage = (): Language => chooseLanguage(localStorage.getItem(KEPT_AS), navigator.languages)
export const keepLanguage = (language: Language): void => localStorage.setItem(KEPT_AS, language)
