import { type ReactNode, useId } from 'react'

interface CardProps {
  readonly title: string
  /** Unit, scope or method. */
  readonly subtitle?: ReactNode
  readonly right?: ReactNode
  readonly className?: string
  readonly children: ReactNode
}

/** A titled region; cards never nest. */
export function Card({ title, subtitle, right, className = '', children }: CardProps) {
  const id = useId()
  return (
    <section className={`card ${className}`} aria-labelledby={id}>
      <div className="card-head">
        <h2 id={id}>{title}</h2>
        {subtitle !== undefined && <span className="subtitle">{subtitle}</span>}
        {right !== undefined && <div className="at-right">{right}</div>}
      </div>
      {children}
    </section>
  )
}
