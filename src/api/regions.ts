import { z } from 'zod'
import { Region, wholeNumber } from '../contract.ts'
import type { Routes } from './app.ts'
import { operationsOf } from './operation-words.ts'
import { noSuch } from './problem.ts'

/** [COL-131]: regions that devices may be seen in. */
const REGIONS = [
  [3, 'Southeast Asia (Singapore)', 'apse.demdex.net'],
  [4, 'South America (Sao Paulo, Brazil)', 'sae.demdex.net'],
  [6, 'Europe (Dublin, Ireland)', 'irl1.demdex.net'],
  [7, 'US East (Virginia)', 'use.demdex.net'],
  [8, 'South Pacific / Oceania (Sydney)', 'apse2.demdex.net'],
  [9, 'US West (Oregon)', 'usw2.demdex.net'],
  [11, 'Asia (Tokyo)', 'tyo3.demdex.net'],
  [12, 'India', 'ind1.demdex.net'],
] as const

/** Routes under `/v1/dcs-regions`. Source: spec/rest-api.md section 15. */
export const regionRoutes: Routes<unknown> = (app) => {
  const says = operationsOf('Regions')
  app.get(
    '/v1/dcs-regions',
    {
      schema: {
        ...says('List the regions of the edge', 'The regions of Audience Manager by number, name and host.'),
        response: { 200: z.array(Region) },
      },
    },
    async () => REGIONS.map(renderRegion),
  )

  const params = z.object({ regionId: wholeNumber(0, 1_000_000) })
  app.get(
    '/v1/dcs-regions/:regionId',
    {
      schema: { ...says('Show a region of the edge', 'One region by its number.'), params, response: { 200: Region } },
    },
    async (request) => {
      const region = REGIONS.find(([id]) => id === request.params.regionId)
      if (region === undefined) throw noSuch('region', request.params.regionId)
      return renderRegion(region)
    },
  )
}

function renderRegion([regionId, location, host]: (typeof REGIONS)[number]): Region {
  const code = host.slice(0, host.indexOf('.')).toUpperCase()
  return { regionId, location, host, code, status: 'ACTIVE', createTime: 0, updateTime: 0, crUID: 0, upUID: 0 }
}
