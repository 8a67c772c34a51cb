import { Select, type SelectProps } from '@mantine/core'
import { useEffect, useRef } from 'react'
import { useWords } from '../words/use-words.tsx'

const OPTIONS_MAX = 50
const MORE = 'more'

interface Option {
  readonly value: string
  readonly label: string
}

type PickerProps = Omit<SelectProps, 'data' | 'searchable' | 'filter' | 'limit'> & { readonly data: Option[] }

/** One of many names: what is typed replaces the chosen one, the list is bounded, and its names are whole. */
export function Picker({ data, value = null, ...rest }: PickerProps) {
  const { t } = useWords()
  const input = useRef<HTMLInputElement>(null)
  const label = data.find((one) => one.value === value)?.label
  // biome-ignore lint/correctness/useExhaustiveDependencies: also the name just chosen is replaced by what is typed
  useEffect(() => {
    requestAnimationFrame(() => input.current === document.activeElement && input.current?.select())
  }, [value])
  return (
    <Select
      ref={input}
      searchable
      data={data}
      value={value}
      title={label}
      nothingFoundMessage={t('picker.none')}
      // Its content is as wide as its widest name, which is then cut.
      withScrollArea={false}
      onFocus={(event) => event.currentTarget.select()}
      onClick={(event) => event.currentTarget.select()}
      filter={({ search }) => {
        const text = search.trim().toLowerCase()
        const found = data.filter((one) => one.label.toLowerCase().includes(text))
        const more = found.length - OPTIONS_MAX
        if (more <= 0) return found
        const says = { value: MORE, label: t('picker.more', { count: more }), disabled: true }
        return [...found.slice(0, OPTIONS_MAX), says]
      }}
      {...rest}
    />
  )
}
