import { ServerUnreachableError } from '../lib/http-client.ts'
import { type VerifyReport, verifyDataDir } from '../main.ts'
import { type ClientOptions, type FoundServer, findServer } from './find-server.ts'
import { createProgress, type Progress } from './progress.ts'

/** A line of the answer of `POST /v1/verify`: progress, and last the report. */
type VerifyLine =
  | { readonly progress: { readonly checked: number; readonly total: number } }
  | { readonly report: VerifyReport }

/** The check was made and found damage. */
class DamageFoundError extends Error {
  readonly code = 'damage_found'
}

/**
 * `usher verify` [OPS-14], [SEC-60]: asks the running server, which owns the store; if none answers, opens the data
 * directory itself, unless `--url` named a server.
 */
export async function verify(options: ClientOptions): Promise<void> {
  const server = findServer(options)
  const progress = createProgress()
  try {
    const report = await askServer(server, progress).catch((error: unknown) => {
      if (!(error instanceof ServerUnreachableError) || options.url !== undefined) throw error
      return verifyDataDir(server.config, (checked, total) => progress.show(checked, total, 'records'))
    })
    progress.end()
    process.stdout.write(options.json === true ? `${JSON.stringify(report, null, 2)}\n` : renderReport(report))
    if (report.problems.length > 0)
      throw new DamageFoundError(`${report.problems.length} problems found; they were set aside and are not served`)
  } finally {
    server.close()
  }
}

async function askServer({ api }: FoundServer, progress: Progress): Promise<VerifyReport> {
  for await (const line of await api.stream('/v1/verify', { idleTimeoutMs: 60_000 })) {
    const one = line as VerifyLine
    if ('report' in one) return one.report
    progress.show(one.progress.checked, one.progress.total, 'records')
  }
  throw new ServerUnreachableError(api.baseUrl, new Error('the answer ended before its report'))
}

export function renderReport({ checked, problems }: VerifyReport): string {
  const lines = problems.map((one) => `  ${one.kind}  ${one.key}  ${one.problem}`)
  const verdict = problems.length === 0 ? 'no problem found' : `${problems.length} problems:`
  return `${[`${checked} records and references checked, ${verdict}`, ...lines].join('\n')}\n`
}
