import type { RecordStore } from '../store/record-store.ts'

/** A store that does something before each call: waits, or throws because it is away. */
export function disturbed(
  records: RecordStore,
  before: (call: keyof RecordStore, first: unknown) => Promise<void> | void,
): RecordStore {
  return new Proxy(records, {
    get(store, name: keyof RecordStore) {
      if (name === 'scan')
        return async function* (...given: Parameters<RecordStore['scan']>) {
          await before(name, given[0])
          yield* store.scan(...given)
        }
      return async (...given: unknown[]) => {
        await before(name, given[0])
        return (store[name] as (...given: unknown[]) => unknown).apply(store, given)
      }
    },
  })
}
