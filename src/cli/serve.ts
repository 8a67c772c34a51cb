import { loadConfig } from '../config.ts'
import { createLog } from '../lib/log.ts'
import { isReachedElsewhere } from '../main/server-file.ts'
import { startUsher } from '../main.ts'
import { installLastResort } from './last-resort.ts'
import { openLine, signInLine } from './link.ts'
import { printReady } from './ready-line.ts'
import { stopOnSignals } from './stop-on-signals.ts'

export interface ServeOptions {
  readonly config?: string
  readonly dataDir?: string
  readonly roles?: string
}

/** Resolves once the server is ready; it runs until a signal. */
export async function serve(options: ServeOptions): Promise<void> {
  const config = loadConfig({ options })
  const usher = await startUsher(config)
  installLastResort(createLog({ level: config.logLevel }))
  stopOnSignals(() => usher.close())
  // On the console beside the log, whose lines are JSON.
  if (usher.newTokenFile !== undefined)
    process.stderr.write(`First start: the administrator's bearer token is in ${usher.newTokenFile}\n`)
  const link = usher.newTokenFile === undefined ? undefined : await usher.newSetupLink()
  if (link !== undefined)
    process.stderr.write(`${openLine(usher.adminUrl, link, config.dataDir, isReachedElsewhere(config))}\n`)
  else if (usher.adminUrl !== '') process.stderr.write(`${signInLine(usher.adminUrl, config.dataDir)}\n`)
  printReady(usher.ready)
}
