import type { DestinationType } from './define-destination.ts'
import { s2s } from './s2s.ts'

/** Every type of destination. A new one is a file, and a line here; API, documentation, form and tests follow. */
export const destinationTypes: readonly DestinationType[] = [s2s]
