import { Readable } from 'node:stream'
import { z } from 'zod'
import type { VerifyReport } from '../store/verify.ts'
import type { Routes } from './app.ts'
import { operationsOf } from './operation-words.ts'

/** Checks every stored record while the server runs; `usher verify` calls it [SEC-60]. */
export interface Verifier {
  verify(onProgress: (done: number, total: number) => void): Promise<VerifyReport>
}

const PROGRESS_EVERY_MS = 200

/** `POST /v1/verify` answers one JSON value a line: `{"progress":{"done","total"}}` now and then, last `{"report":…}`. */
export const verifyRoutes: Routes<{ verifier: Verifier }> = (app, { verifier }) => {
  const words = operationsOf('Operation')(
    'Check every stored record',
    'One JSON value a line: `{"progress":{"done","total"}}` now and then, and last `{"report":…}`. The server goes on meanwhile.',
  )
  const schema = { ...words, produces: ['application/x-ndjson'], response: { 200: z.custom<Readable>() } }
  app.post('/v1/verify', { schema }, async (_request, reply) => {
    const lines = new Readable({ read() {} })
    const push = (line: object) => lines.push(`${JSON.stringify(line)}\n`)
    let shownMs = 0
    verifier
      .verify((done, total) => {
        if (performance.now() - shownMs < PROGRESS_EVERY_MS) return
        shownMs = performance.now()
        push({ progress: { done, total } })
      })
      .then(
        (report) => {
          push({ report })
          lines.push(null)
        },
        (error: unknown) => lines.destroy(error instanceof Error ? error : new Error(String(error))),
      )
    return reply.type('application/x-ndjson').send(lines)
  })
}
