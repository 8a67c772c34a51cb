import { describeDeliveryDamage } from './delivery-damage.conformance.ts'
import { describeDeliverySearch } from './delivery-search.conformance.ts'
import { describeDeliveryStore } from './delivery-store.conformance.ts'
import { openTemporaryStore } from './embedded/temporary-store.conformance.ts'
import { openMemoryRecordStore } from './memory/memory-record-store.ts'

for (const describe of [describeDeliveryStore, describeDeliverySearch, describeDeliveryDamage]) {
  describe('memory', async () => {
    const store = await openMemoryRecordStore()
    return { store, [Symbol.asyncDispose]: () => store.close() }
  })
  describe('embedded', () => openTemporaryStore())
}
