import { z } from 'zod'
import { milliseconds, status } from './fields.ts'

/** [API-127], [COL-136] */
export const Region = z.object({
  regionId: z.int(),
  location: z.string(),
  host: z.string(),
  code: z.string(),
  status,
  createTime: milliseconds,
  updateTime: milliseconds,
  crUID: z.int(),
  upUID: z.int(),
})
export type Region = z.infer<typeof Region>
