import type { Log } from '../lib/log.ts'
import { randomEventId } from '../lib/random-ids.ts'

/**
 * [SEC-12]: a fault that no request boundary caught is logged under an incident id, and the process goes on serving;
 * unless the store itself reports that it is damaged, because then every further answer could be wrong.
 */
export function installLastResort(
  log: Log,
  exit: (status: number) => void = (status) => process.exit(status),
): () => void {
  const onFault = (error: unknown) => {
    const isStoreDamaged = error instanceof Error && 'code' in error && error.code === 'store_corrupt'
    log.error('process.fault', { incident: randomEventId(), error, goesOn: !isStoreDamaged })
    if (isStoreDamaged) exit(1)
  }
  process.on('uncaughtException', onFault)
  process.on('unhandledRejection', onFault)
  return () => {
    process.off('uncaughtException', onFault)
    process.off('unhandledRejection', onFault)
  }
}
