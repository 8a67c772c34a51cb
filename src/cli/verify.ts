import { loadConfig } from '../config.ts'
import { ServerUnreachableError } from '../lib/http-client.ts'
import type { RestClient } from '../lib/rest-client.ts'
import { repairDataDir, verifyDataDir } from '../main.ts'
import { UsageError } from './failure.ts'
import { type ClientOptions, seekServer } from './find-server.ts'
import { createProgress, type Progress } from './progress.ts'
import { adviceFor, foundIn, problems, readReport, renderRepair, renderReport } from './verify-view.ts'

export interface VerifyOptions extends ClientOptions {
  /** Puts right what can be, in a data directory that no server has open. */
  readonly repair?: boolean
}

/** The check was made and found damage. */
class DamageFoundError extends Error {
  readonly code = 'damage_found'
}

/** A server owns what is to be repaired. */
class ServerRunningError extends Error {
  readonly code = 'server_running'
}

/**
 * `usher verify` [OPS-14], [SEC-60]: asks the running server, which owns the store; if none answers, opens the data
 * directory itself, unless `--url` named a server. With `--repair` only the latter.
 */
export async function verify(options: VerifyOptions): Promise<void> {
  if (options.repair) return repair(options)
  const server = seekServer(options)
  const progress = createProgress()
  try {
    let isServerRunning = server.api !== undefined
    const own = () => {
      isServerRunning = false
      return verifyDataDir(server.config, (done, total) => progress.show(done, total, 'records'))
    }
    const asked = server.api === undefined ? own() : askServer(server.api, progress)
    const report: unknown = await asked.catch((error: unknown) => {
      if (!(error instanceof ServerUnreachableError) || options.url !== undefined) throw error
      return own()
    })
    progress.end()
    const view = readReport(report)
    process.stdout.write(options.json === true ? `${JSON.stringify(report, null, 2)}\n` : renderReport(view))
    const found = foundIn(view)
    if (found > 0) throw new DamageFoundError(`${problems(found)}. ${adviceFor(view, { isServerRunning })}`)
  } finally {
    progress.end()
    server.close()
  }
}

/** @throws ServerRunningError, DamageFoundError when something is left */
async function repair(options: VerifyOptions): Promise<void> {
  if (options.url !== undefined)
    throw new UsageError('--repair works on a data directory (--data-dir), not on a running server (--url)')
  const config = loadConfig({ options })
  const progress = createProgress()
  try {
    const done = await repairDataDir(config, (done, total) => progress.show(done, total, 'records'))
    progress.end()
    process.stdout.write(options.json === true ? `${JSON.stringify(done, null, 2)}\n` : renderRepair(done))
    const view = readReport(done.report)
    const left = foundIn(view)
    if (left > 0) throw new DamageFoundError(`${problems(left)} left. ${adviceFor(view, { isRepaired: true })}`)
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'store_locked') throw error
    throw new ServerRunningError(
      `a server is running on ${config.dataDir}: stop it, then repeat this. Damage that it meets it sets aside by itself, and goes on with the rest`,
    )
  } finally {
    progress.end()
  }
}

/** Reads `POST /v1/verify`: lines of `{"progress":{"done","total"}}`, last `{"report":…}`. */
async function askServer(api: RestClient, progress: Progress): Promise<unknown> {
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
