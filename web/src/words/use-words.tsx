import { createContext, type ReactNode, useContext, useEffect, useState } from 'react'
import { IntlProvider, useIntl } from 'react-intl'
import { createFormats, type Formats } from './formats.ts'
import { keepLanguage, keptLanguage, LANGUAGES, type Language, type WordKey } from './languages.ts'

const Choice = createContext<{ language: Language; choose: (language: Language) => void }>({
  language: 'en',
  choose: () => {},
})

export function WordsProvider({ children }: { readonly children: ReactNode }) {
  const [language, setLanguage] = useState(keptLanguage)
  useEffect(() => {
    document.documentElement.lang = language
  }, [language])
  const choose = (next: Language) => {
    keepLanguage(next)
    setLanguage(next)
  }
  return (
    <Choice value={{ language, choose }}>
      <IntlProvider locale={language} messages={LANGUAGES[language].words} timeZone="UTC">
        {children}
      </IntlProvider>
    </Choice>
  )
}

export const useLanguage = () => useContext(Choice)

const formats = new Map<string, Formats>()

export function useFormats(): Formats {
  const { language } = useLanguage()
  const known = formats.get(language) ?? createFormats(language)
  formats.set(language, known)
  return known
}

/** `t('messages.users', { count: 3 })` in the user's language; `has` asks for a key made from an answer of the server. */
export function useWords() {
  const intl = useIntl()
  const t = (id: WordKey, values: Record<string, string | number> = {}) => intl.formatMessage({ id }, values)
  const has = (id: string): id is WordKey => Object.hasOwn(intl.messages, id)
  return { t, has }
}
