import { comparableCode } from '../lib/texts.ts'
import type { DataSource, Definitions, Destination } from '../model/definitions.ts'
import type { Directory } from '../model/directory.ts'
import type { DataSourceId } from '../model/ids.ts'

const ROWS_PER_SLICE = 500

/** Builds the directory of a rulebook in small steps, so that the edge is never held up. */
export function* buildDirectory(
  definitions: Pick<Definitions, 'dataSources' | 'destinations'>,
): Generator<void, Directory> {
  const dataSources = new Map<DataSourceId, DataSource>()
  const byIntegrationCode = new Map<string, DataSource>()
  const syncs: DataSource[] = []
  for (const source of definitions.dataSources) {
    dataSources.set(source.dataSourceId, source)
    if (source.integrationCode !== undefined) {
      const code = comparableCode(source.integrationCode)
      // Stored before codes were trimmed, two may come to the same: the one that is written so has it.
      if (source.integrationCode === code || !byIntegrationCode.has(code)) byIntegrationCode.set(code, source)
    }
    if (source.sync !== undefined && source.status === 'ACTIVE') syncs.push(source)
    if (dataSources.size % ROWS_PER_SLICE === 0) yield
  }
  const vendorDestinations: Destination[] = []
  for (const destination of definitions.destinations) {
    // Paused ones too: what was denied meanwhile must hold when they are resumed [SEC-77].
    if (destination.vendorId !== undefined) vendorDestinations.push(destination)
  }
  return { dataSources, byIntegrationCode, syncs, vendorDestinations }
}
