import { z } from 'zod'
import { objectId } from '../contract.ts'
import { comparableCode } from '../lib/texts.ts'
import { noSuch, Problem } from './problem.ts'

/** An object by its id, or by its integration code as `ic:<code>` [API-43], [API-54]. */
export const objectKey = z.string().max(600).meta({ description: 'The id, or `ic:` and the integration code' })
export type ObjectKey = z.output<typeof objectKey>

/**
 * @param idsByCode ids of the objects with an integration code
 * @throws Problem 404, or 409 when several objects share the code
 */
export async function resolveKey(
  what: string,
  key: ObjectKey,
  idsByCode: (code: string) => Promise<readonly number[]>,
): Promise<number> {
  if (!key.startsWith('ic:')) {
    const parsed = objectId.safeParse(key)
    if (parsed.success) return parsed.data
    throw noSuch(what, key)
  }
  const [id, ...others] = await idsByCode(comparableCode(key.slice(3)))
  if (id === undefined) throw noSuch(what, key)
  if (others.length === 0) return id
  const ids = [id, ...others]
  const message = `Several objects have this integration code: ${ids.slice(0, 20).join(', ')}.`
  throw new Problem(409, 'integration_code_ambiguous', message, [{ field: 'integrationCode', message, ids }])
}
