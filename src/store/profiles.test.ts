import { openTemporaryStore } from './embedded/temporary-store.conformance.ts'
import { openMemoryRecordStore } from './memory/memory-record-store.ts'
import { describeProfileStore } from './profile-store.conformance.ts'

describeProfileStore('embedded', () => openTemporaryStore())
describeProfileStore('memory', async () => {
  const store = await openMemoryRecordStore()
  return { store, [Symbol.asyncDispose]: () => store.close() }
})
