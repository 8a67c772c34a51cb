import { ServerUnreachableError } from '../lib/http-client.ts'
import { verifyDataDir } from '../main.ts'
import { type ClientOptions, type FoundServer, findServer } from './find-server.ts'
import { createProgress, type Progress } from './progress.ts'

/** What the check says at its end; the members that are shown of `VerifyReport` (store/verify.ts). */
export interface VerifyView {
  readonly records: number
  /** By what is wrong: how often, and the first samples. */
  readonly findings: Readonly<Record<string, { readonly count: number; readonly samples: readonly string[] }>>
}

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
    const report: unknown = await askServer(server, progress).catch((error: unknown) => {
      if (!(error instanceof ServerUnreachableError) || options.url !== undefined) throw error
      return verifyDataDir(server.config, (done, total) => progress.show(done, total, 'records'))
    })
    progress.end()
    const view = readReport(report)
    process.stdout.write(options.json === true ? `${JSON.stringify(report, null, 2)}\n` : renderReport(view))
    const found = foundIn(view)
    if (found > 0) throw new DamageFoundError(`${found} problems; damaged records were set aside and are not served`)
  } finally {
    server.close()
  }
}

/** Reads `POST /v1/verify`: lines of `{"progress":{"done","total"}}`, last `{"report":…}`. */
async function askServer({ api }: FoundServer, progress: Progress): Promise<unknown> {
  for await (const line of await api.stream('/v1/verify', { idleTimeoutMs: 60_000 })) {
    const one = line as {
      readonly progress?: { readonly done: number; readonly total: number }
      readonly report?: unknown
    }
    if (one.report !== undefined) return one.report
    if (one.progress !== undefined) progress.show(one.progress.done, one.progress.total, 'records')
  }
  throw new Error('the server ended its answer without a report; its log says why')
}

function readReport(value: unknown): VerifyView {
  const { records, findings } = value as Partial<VerifyView>
  if (typeof records !== 'number' || typeof findings !== 'object') throw new TypeError('not a report of this version')
  return { records, findings }
}

function foundIn({ findings }: VerifyView): number {
  return Object.values(findings).reduce((sum, { count }) => sum + count, 0)
}

export function renderReport(view: VerifyView): string {
  const lines = Object.entries(view.findings)
    .filter(([, { count }]) => count > 0)
    .flatMap(([finding, { count, samples }]) => [
      `  ${count} ${finding.replaceAll('_', ' ')}`,
      ...samples.map((sample) => `    ${sample}`),
    ])
  const found = foundIn(view)
  return `${[`${view.records} records checked, ${found === 0 ? 'no problem found' : `${found} problems:`}`, ...lines].join('\n')}\n`
}
