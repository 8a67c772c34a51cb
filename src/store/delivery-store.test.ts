import { describeDeliveryStore } from './delivery-store.conformance.ts'
import { openTemporaryStore } from './embedded/temporary-store.conformance.ts'
import { openMemoryRecordStore } from './memory/memory-record-store.ts'

describeDeliveryStore('memory', async () => {
  const store = await openMemoryRecordStore()
  return { store, [Symbol.asyncDispose]: () => store.close() }
})
describeDeliveryStore('embedded', () => openTemporaryStore())
