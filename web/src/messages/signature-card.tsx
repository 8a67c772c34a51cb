import type { DeliveryDetail } from '../api/shapes.ts'
import { Card } from '../parts/card.tsx'
import { Copy } from '../parts/copy.tsx'
import { Fact } from '../parts/fact.tsx'
import { State } from '../parts/state.tsx'
import { shortened } from '../words/formats.ts'
import { useWords } from '../words/use-words.tsx'

/** The signature that was sent, beside the one computed again from the stored bytes and the key as it is today. */
export function SignatureCard({ signature, request }: Pick<DeliveryDetail, 'signature' | 'request'>) {
  const { t } = useWords()
  if (signature === null)
    return (
      <Card title={t('signature.title')}>
        <p className="card-body dim">{t('signature.none')}</p>
      </Card>
    )
  const { header, sent, recomputed, matches, algorithm, keyNumber, signedBytes } = signature
  return (
    <Card
      title={t('signature.title')}
      right={
        <State state={matches ? 'acknowledged' : 'dead'}>
          {matches ? t('signature.matches') : t('signature.differs')}
        </State>
      }
    >
      <div className="card-body">
        <dl className="facts">
          <Fact name={<span className="mono">{header}</span>}>
            <Copy value={sent} shown={shortened(sent)} />
          </Fact>
          <Fact name={t('signature.recomputed')}>
            <Copy value={recomputed} shown={shortened(recomputed)} />
          </Fact>
          <Fact name={t('signature.bytes')}>
            {t('signature.bytesAsSent', { count: signedBytes, method: request.method })}
          </Fact>
          <Fact name={t('signature.key')}>{t('signature.keyNumber', { algorithm, number: keyNumber })}</Fact>
        </dl>
        {!matches && <p className="dim small">{t('signature.differsWhy')}</p>}
      </div>
    </Card>
  )
}
