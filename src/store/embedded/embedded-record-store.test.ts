import { describePersistence, describeRecordStore } from '../record-store.conformance.ts'
import { openTemporaryStore } from './temporary-store.conformance.ts'

describeRecordStore('embedded', () => openTemporaryStore())
describeRecordStore('embedded without a cache', () => openTemporaryStore({ cacheBytes: 0 }))
describePersistence('embedded', () => openTemporaryStore())
