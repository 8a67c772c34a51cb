import { Button } from '@mantine/core'
import { useState } from 'react'
import type { DeliveryDetail } from '../api/shapes.ts'
import { IconCheck, IconCopy } from '../parts/icons.ts'
import { useWords } from '../words/use-words.tsx'
import { asCurl } from './curl.ts'

export function CopyCurl({ request }: Pick<DeliveryDetail, 'request'>) {
  const { t } = useWords()
  const [copied, setCopied] = useState(false)
  const copy = async () => {
    await navigator.clipboard.writeText(asCurl(request))
    setCopied(true)
    setTimeout(() => setCopied(false), 1500)
  }
  const Icon = copied ? IconCheck : IconCopy
  return (
    <Button variant="default" leftSection={<Icon size={15} aria-hidden />} onClick={() => void copy()}>
      {copied ? t('copy.done') : t('messages.curl')}
    </Button>
  )
}
