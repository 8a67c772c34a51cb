import type { DataSource, Destination } from './definitions.ts'
import type { DataSourceId } from './ids.ts'

/** Data sources and destinations by every name a call may use; part of the rulebook, immutable. */
export interface Directory {
  readonly dataSources: ReadonlyMap<DataSourceId, DataSource>
  /** Integration codes as `comparableCode` makes them (case-sensitive), global ones (`DSID_20914`, ...) included [COL-63]. */
  readonly byIntegrationCode: ReadonlyMap<string, DataSource>
  /** Data sources with an outbound ID sync. */
  readonly syncs: readonly DataSource[]
  /** Destinations that name a TCF vendor [SEC-77]. */
  readonly vendorDestinations: readonly Destination[]
}
