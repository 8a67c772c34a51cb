import { Select, useMantineColorScheme } from '@mantine/core'
import { LANGUAGES, type Language } from '../words/languages.ts'
import { useLanguage, useWords } from '../words/use-words.tsx'

/** Language and light or dark: kept in this browser. */
export function Preferences() {
  const { t } = useWords()
  const { language, choose } = useLanguage()
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  return (
    <>
      <Select
        label={t('preferences.language')}
        data={Object.entries(LANGUAGES).map(([value, { name }]) => ({ value, label: name }))}
        value={language}
        allowDeselect={false}
        onChange={(value) => value !== null && choose(value as Language)}
        comboboxProps={{ withinPortal: false }}
      />
      <Select
        label={t('preferences.scheme')}
        data={(['auto', 'light', 'dark'] as const).map((value) => ({ value, label: t(`preferences.${value}`) }))}
        value={colorScheme}
        allowDeselect={false}
        onChange={(value) => value !== null && setColorScheme(value as 'auto' | 'light' | 'dark')}
        comboboxProps={{ withinPortal: false }}
      />
    </>
  )
}
