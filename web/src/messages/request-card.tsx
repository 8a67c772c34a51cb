import { Tabs } from '@mantine/core'
import type { ReactNode } from 'react'
import type { DeliveryDetail } from '../api/shapes.ts'
import { Card } from '../parts/card.tsx'
import { useWords } from '../words/use-words.tsx'

export function RequestCard({ request }: Pick<DeliveryDetail, 'request'>) {
  const { t } = useWords()
  const headers = Object.entries(request.headers)
  return (
    <Card
      title={t('request.title')}
      className="request"
      subtitle={
        <code>
          {request.method} {request.url}
        </code>
      }
    >
      <div className="card-body">
        <Tabs defaultValue="body">
          <Tabs.List aria-label={t('request.title')}>
            <Tabs.Tab value="body">{t('request.body')}</Tabs.Tab>
            <Tabs.Tab value="headers">{t('request.headers', { count: headers.length })}</Tabs.Tab>
            <Tabs.Tab value="raw">{t('request.raw')}</Tabs.Tab>
          </Tabs.List>
          <Tabs.Panel value="body">
            <CodeView label={t('request.body')} text={laidOut(request.body) || t('request.noBody')} />
          </Tabs.Panel>
          <Tabs.Panel value="headers">
            <dl className="facts">
              {headers.map(([name, value]) => (
                <div key={name} className="fact">
                  <dt className="mono">{name}</dt>
                  <dd className="mono">{value}</dd>
                </div>
              ))}
            </dl>
            <p className="dim small">{t('request.secrets')}</p>
          </Tabs.Panel>
          <Tabs.Panel value="raw">
            <CodeView label={t('request.raw')} text={request.body || t('request.noBody')} />
          </Tabs.Panel>
        </Tabs>
      </div>
    </Card>
  )
}

function laidOut(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), null, 2)
  } catch {
    return body
  }
}

/** Numbered lines; keys of JSON in the accent. */
function CodeView({ label, text }: { readonly label: string; readonly text: string }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, also by keyboard
    <section className="code-view" aria-label={label} tabIndex={0}>
      <pre className="mono">
        {text.split('\n').map((line, at) => (
          // Lines have no identity but their place.
          // biome-ignore lint/suspicious/noArrayIndexKey: see above
          <span className="line" key={at}>
            {withKey(line)}
          </span>
        ))}
      </pre>
    </section>
  )
}

function withKey(line: string): ReactNode {
  const match = /^(\s*)("(?:[^"\\]|\\.)*")(:.*)$/.exec(line)
  if (match === null) return line
  return (
    <>
      {match[1]}
      <span className="key">{match[2]}</span>
      {match[3]}
    </>
  )
}
