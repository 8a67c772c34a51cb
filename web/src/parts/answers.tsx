import type { ReactNode } from 'react'
import { ApiProblem } from '../api/client.ts'
import { useWords } from '../words/use-words.tsx'
import { Copy } from './copy.tsx'
import { IconDead } from './icons.ts'

/** What will be here, why it is not yet, and one step. */
export function Empty({ title, children, step }: { title: string; children: ReactNode; step?: ReactNode }) {
  return (
    <div className="empty">
      <p className="empty-title">{title}</p>
      <p>{children}</p>
      {step !== undefined && <div className="step">{step}</div>}
    </div>
  )
}

/** The shape of what comes: shown after 150 ms, laid out like the result. */
export function Shapes({ rows, height = 14 }: { readonly rows: number; readonly height?: number }) {
  const { t } = useWords()
  return (
    <div className="card-body" role="status" aria-label={t('answers.loading')}>
      {Array.from({ length: rows }, (_, row) => row).map((row) => (
        <span
          key={row}
          className="shape"
          style={{ height, margin: '12px 0', width: `${[92, 78, 86, 64][row % 4]}%` }}
          aria-hidden
        />
      ))}
    </div>
  )
}

/** What happened, why, what now; beside what it belongs to. */
export function Trouble({ error, onRetry }: { readonly error: unknown; readonly onRetry?: (() => void) | undefined }) {
  const { t, has } = useWords()
  const problem = error instanceof ApiProblem ? error : new ApiProblem(500, { message: String(error) })
  const own = `problem.${problem.code}`
  return (
    <div className="trouble dead" role="alert">
      <span className="glyph">
        <IconDead size={16} aria-hidden />
      </span>
      <div>
        <p>{has(own) ? t(own) : problem.message || t('problem.other')}</p>
        {problem.details.map((detail) => (
          <p key={`${detail.field} ${detail.message}`}>
            <code>{detail.field}</code> {detail.message}
          </p>
        ))}
        <p className="code small">
          {problem.status !== 0 && <code>{problem.code}</code>}{' '}
          {problem.requestId !== undefined && <Copy value={problem.requestId} />}{' '}
          {onRetry !== undefined && (
            <button type="button" className="plain-button" onClick={onRetry}>
              {t('answers.retry')}
            </button>
          )}
        </p>
      </div>
    </div>
  )
}
