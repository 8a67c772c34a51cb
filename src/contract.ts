/**
 * Schemas of the REST API, shared by the server, the command line and the admin UI: one schema validates, types and
 * documents. `...Draft` is what a client sends, the plain name is what it gets. Source: spec/rest-api.md, spec/operating.md.
 */
export * from './contract/clock.ts'
export * from './contract/data-source.ts'
export * from './contract/delivery.ts'
export * from './contract/deny-list.ts'
export * from './contract/destination.ts'
export * from './contract/destination-health.ts'
export * from './contract/fields.ts'
export * from './contract/folder.ts'
export * from './contract/list.ts'
export * from './contract/live.ts'
export * from './contract/merge-rule.ts'
export * from './contract/overview.ts'
export * from './contract/problem.ts'
export * from './contract/profile.ts'
export * from './contract/region.ts'
export * from './contract/replay.ts'
export * from './contract/search.ts'
export * from './contract/segment.ts'
export * from './contract/session.ts'
export * from './contract/trait.ts'
