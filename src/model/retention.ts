import type { IdType } from './definitions.ts'

/** A device not seen for this long is inactive [OUT-51], and so is an advertising or cookie ID [COL-67], [COL-76]. */
export const DEVICE_RETENTION_DAYS = 120
/** An ID of a person, unless its data source says otherwise: 24 months of 30 days [COL-77]. */
export const PERSON_RETENTION_DAYS = 720

const DAY_SECONDS = 86_400

/** @param seconds what a data source says of its persons; of other kinds it says nothing [AUD-164] */
export function retentionDaysOf(idType: IdType, seconds: number): number {
  return idType === 'CROSS_DEVICE' ? Math.ceil(seconds / DAY_SECONDS) : DEVICE_RETENTION_DAYS
}
