import { existsSync, readFileSync } from 'node:fs'
import { loadConfig } from '../config.ts'
import { type RestoreReport, restoreDataDir } from '../main.ts'
import { UsageError } from './failure.ts'
import { createProgress } from './progress.ts'
import { foundIn, readReport } from './verify-view.ts'

export interface RestoreOptions {
  readonly config?: string
  readonly dataDir?: string
  readonly masterKeyFile?: string
  readonly optOuts?: string
  /** `--without-opt-outs` */
  readonly withoutOptOuts?: boolean
  readonly json?: boolean
}

/** All that there was is restored, and something was missing in the backup or in the list already. */
class RestoredDamageError extends Error {
  readonly code = 'damage_found'
}

/** `usher restore` [OPS-14], [SEC-90]: a backup into an empty folder, with the opt-outs made since. */
export async function restore(file: string, options: RestoreOptions): Promise<void> {
  const config = loadConfig({ options })
  const optOutList = findList(options, config.optOuts.listFile)
  const masterKey = findMasterKey(options, config.masterKey)
  const progress = createProgress()
  try {
    const report = await restoreDataDir({
      file,
      config,
      masterKey,
      keepsMasterKey: config.masterKey === undefined,
      optOutList,
      onProgress: (done, total, what) => progress.show(done, total, what),
    })
    progress.end()
    process.stdout.write(
      options.json === true ? `${JSON.stringify(report, null, 2)}\n` : render(report, config.dataDir),
    )
    if (isListDamaged(report))
      throw new RestoredDamageError(
        'the list of opt-outs was damaged: what it lacks are people who are followed again. If another copy of it is whole, empty the folder and restore again with that',
      )
    const found = foundIn(readReport(report.check))
    if (found > 0)
      throw new RestoredDamageError(
        `${found} problems were in the backup already; what is damaged is not served. See them with usher verify, put them right with usher verify --repair: docs/damage.md`,
      )
  } finally {
    progress.end()
  }
}

function isListDamaged({ optOuts }: RestoreReport): boolean {
  return optOuts !== null && optOuts.damagedLines + optOuts.unlisted > 0
}

/** @throws UsageError where it is neither named nor done without in so many words */
function findList({ optOuts, withoutOptOuts }: RestoreOptions, configured: string | undefined): string | undefined {
  if (withoutOptOuts === true) {
    if (optOuts === undefined) return undefined
    throw new UsageError('--opt-outs and --without-opt-outs exclude each other')
  }
  const path = optOuts ?? configured
  if (path === undefined)
    throw new UsageError(
      'the list of opt-outs is needed: those who opted out after the backup would be followed again. Name it with --opt-outs FILE (opt-outs.list in the old data directory, or where optOuts.listFile puts it); if it is lost, go on with --without-opt-outs',
    )
  if (!existsSync(path))
    throw new UsageError(
      `the list of opt-outs ${path} is not there: name it with --opt-outs FILE; if it is lost, go on with --without-opt-outs`,
    )
  return path
}

function findMasterKey({ masterKeyFile }: RestoreOptions, configured: string | undefined): Buffer {
  if (masterKeyFile !== undefined && configured !== undefined)
    throw new UsageError('the master key is given twice: by USHER_MASTER_KEY and by --master-key-file. Give it once')
  if (configured !== undefined) return Buffer.from(configured, 'base64')
  if (masterKeyFile === undefined)
    throw new UsageError(
      'the master key of the installation is needed, since the backup is encrypted with it: give it with USHER_MASTER_KEY, or name its file (master.key of the old data directory) with --master-key-file',
    )
  let text: string
  try {
    text = readFileSync(masterKeyFile, 'utf8').trim()
  } catch (error) {
    throw new UsageError(`--master-key-file: ${(error as Error).message}`)
  }
  if (!/^[A-Za-z0-9+/]{43}=$/.test(text))
    throw new UsageError(`--master-key-file: ${masterKeyFile} does not hold 32 bytes in Base64`)
  return Buffer.from(text, 'base64')
}

function render({ backup, records, optOuts, check }: RestoreReport, dataDir: string): string {
  const kinds = check.kinds
  const lines = [
    `Restored into ${dataDir}: the backup of ${backup.createdAt}, account ${backup.account}, made by Usher ${backup.usherVersion}.`,
    `${records} records, ${kinds['profile'] ?? 0} profiles and ${kinds['optOut'] ?? 0} opt-outs among them; all were checked.`,
  ]
  if (optOuts === null)
    lines.push(
      'WITHOUT the list of opt-outs: whoever opted out after the backup is followed again, until they say so anew.',
    )
  else {
    lines.push(
      `List of opt-outs: ${optOuts.listed} in it, ${optOuts.applied} of them since the backup; ${optOuts.profiles} profiles of the backup leave every segment.`,
    )
    if (optOuts.isTorn) lines.push('The last line of the list broke off: an opt-out that was never acknowledged.')
    if (optOuts.damagedLines > 0)
      lines.push(
        `WARNING: ${optOuts.damagedLines} lines of the list are damaged. Each was an opt-out, which is lost unless the backup has it.`,
      )
    if (optOuts.unlisted > 0)
      lines.push(
        `WARNING: the list lacks ${optOuts.unlisted} opt-outs of the backup, so that newer ones may be missing too.`,
      )
  }
  lines.push(`Start it with: usher serve --data-dir ${dataDir}`)
  return `${lines.join('\n')}\n`
}
