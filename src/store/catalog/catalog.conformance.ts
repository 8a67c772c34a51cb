import type { MakePlace } from './catalog-place.conformance.ts'
import { describeConcurrency } from './concurrency.conformance.ts'
import { describeDefinitions } from './definitions.conformance.ts'
import { describeListing } from './listing.conformance.ts'
import { describeNames } from './names.conformance.ts'
import { describeRevisions } from './revise.conformance.ts'
import { describeSessions } from './sessions.conformance.ts'

/** The definition of a `CatalogEngine`: what the catalogue promises holds on it. Each engine's test file calls it. */
export function describeCatalog(name: string, makePlace: MakePlace): void {
  describeDefinitions(name, makePlace)
  describeListing(name, makePlace)
  describeNames(name, makePlace)
  describeSessions(name, makePlace)
  describeConcurrency(name, makePlace)
  describeRevisions(name, makePlace)
}
