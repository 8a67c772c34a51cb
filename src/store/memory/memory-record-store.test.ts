import { describeRecordStore } from '../record-store.conformance.ts'
import { openMemoryRecordStore } from './memory-record-store.ts'

describeRecordStore('memory', async () => {
  const store = await openMemoryRecordStore()
  return { store, [Symbol.asyncDispose]: () => store.close() }
})
