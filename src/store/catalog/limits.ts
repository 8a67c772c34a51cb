/** How many of each object may exist. Source: [AUD-300]..[AUD-305], [AUD-307], [OUT-05]; the last three are ours. */
export interface Limits {
  readonly traits: number
  readonly ruleBasedTraits: number
  readonly onboardedTraits: number
  readonly algorithmicTraits: number
  readonly traitFolders: number
  /** Levels below the root [AUD-101]. */
  readonly folderDepth: number
  readonly segments: number
  readonly traitsPerSegment: number
  readonly destinations: number
  readonly serverToServerDestinations: number
  readonly dataSources: number
  readonly segmentFolders: number
  readonly mergeRules: number
}

export const DEFAULT_LIMITS: Limits = {
  traits: 100_000,
  ruleBasedTraits: 100_000,
  onboardedTraits: 100_000,
  algorithmicTraits: 50,
  traitFolders: 2_000,
  folderDepth: 5,
  segments: 20_000,
  traitsPerSegment: 5_000,
  destinations: 1_000,
  serverToServerDestinations: 100,
  dataSources: 10_000,
  segmentFolders: 2_000,
  mergeRules: 1_000,
}

/** Use against limit, as the `limits` routes and the administration page show it [AUD-321]. */
export interface Usage {
  readonly count: number
  readonly max: number
}
