import { Button } from '@mantine/core'
import type { DeliveryDetail } from '../api/shapes.ts'
import { IconCheck, IconCopy } from '../parts/icons.ts'
import { useCopy } from '../parts/use-copy.ts'
import { useWords } from '../words/use-words.tsx'
import { asCurl } from './curl.ts'

export function CopyCurl({ request }: Pick<DeliveryDetail, 'request'>) {
  const { t } = useWords()
  const { copied, copy } = useCopy()
  const Icon = copied === 'done' ? IconCheck : IconCopy
  return (
    <>
      <Button variant="default" leftSection={<Icon size={15} aria-hidden />} onClick={() => void copy(asCurl(request))}>
        {copied === 'done' ? t('copy.done') : t('messages.curl')}
      </Button>
      {copied === 'refused' && (
        <div role="alert" className="refused">
          <p className="dim small">{t('copy.refused')}</p>
          <pre className="mono small curl">{asCurl(request)}</pre>
        </div>
      )}
    </>
  )
}
