/** The regions of a collection network [COL-131]. Source: spec/collection.md section 9. */
export interface Region {
  readonly regionId: number
  readonly location: string
  /** Left-most label of the regional host; the code is the same in upper case. */
  readonly label: string
}

export const REGIONS: readonly Region[] = [
  { regionId: 3, location: 'Southeast Asia (Singapore)', label: 'apse' },
  { regionId: 4, location: 'South America (Sao Paulo, Brazil)', label: 'sae' },
  { regionId: 6, location: 'Europe (Dublin, Ireland)', label: 'irl1' },
  { regionId: 7, location: 'US East (Virginia)', label: 'use' },
  { regionId: 8, location: 'South Pacific / Oceania (Sydney)', label: 'apse2' },
  { regionId: 9, location: 'US West (Oregon)', label: 'usw2' },
  { regionId: 11, location: 'Asia (Tokyo)', label: 'tyo3' },
  { regionId: 12, location: 'India', label: 'ind1' },
]

/** Hosts that belong to no partner by their name [COL-05], [COL-07]. */
export const SYSTEM_HOSTS: readonly string[] = [
  'dpm',
  'www',
  'dcs',
  'dcs-beta',
  'fast',
  ...REGIONS.map((region) => region.label),
]
