import { CatalogRefusal } from './refusal.ts'

/** More changes of one object than these do not come between its reading and its writing by chance. */
const TRIES_MAX = 10

/** The row is not the one any more that the draft was made from. Never leaves the catalogue. */
class ChangedMeanwhile extends Error {}

/**
 * Makes the next draft from an object as it is stored, and writes it if the object is still that; otherwise reads it again. So
 * of two changes at one time both hold, and a secret that was changed meanwhile is not written back.
 * @throws CatalogRefusal not_found; conflict when others change it without end; whatever `next` and `write` throw
 */
export async function revise<Stored extends { readonly revision: number }, Draft>(steps: {
  read(): Promise<Stored>
  /** May be asked again. */
  next(stored: Stored): Draft | Promise<Draft>
  /** Its transaction calls `mustBeOf`. */
  write(draft: Draft, revision: number): Promise<Stored>
}): Promise<Stored> {
  for (let tries = 1; tries <= TRIES_MAX; tries++) {
    const stored = await steps.read()
    const draft = await steps.next(stored)
    try {
      return await steps.write(draft, stored.revision)
    } catch (error) {
      if (!(error instanceof ChangedMeanwhile)) throw error
    }
  }
  const message = 'Others change this object at the same time. Read it again, then try again.'
  throw new CatalogRefusal('conflict', 'changed_meanwhile', message)
}

/** @param revision undefined: whatever it is, the draft is not made from it */
export function mustBeOf(revision: number | undefined, row: { readonly revision: number }): void {
  if (revision !== undefined && revision !== row.revision) throw new ChangedMeanwhile()
}
