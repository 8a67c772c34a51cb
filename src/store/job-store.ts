import { startKey } from './keys.ts'
import { openRecord, sealRecord } from './record.ts'
import { Kind } from './record-kinds.ts'
import type { RecordStore } from './record-store.ts'

/** Progress of background work, so that it goes on where a stop left it. Small JSON values by name. */
export interface JobStore {
  read(name: string): Promise<unknown>
  write(name: string, value: unknown): Promise<void>
  remove(name: string): Promise<void>
}

const VERSION = 1

export function openJobStore(records: RecordStore): JobStore {
  return {
    async read(name) {
      const [record] = await records.getMany([jobKey(name)])
      return record === undefined ? undefined : (JSON.parse(openRecord(record).body.toString('utf8')) as unknown)
    },
    async write(name, value) {
      const record = sealRecord(VERSION, 0, Buffer.from(JSON.stringify(value)))
      await records.commit({ puts: [{ key: jobKey(name), record }], deletes: [] })
    },
    async remove(name) {
      await records.commit({ puts: [], deletes: [jobKey(name)] })
    },
  }
}

function jobKey(name: string): Buffer {
  return Buffer.concat([startKey(0, Kind.job, 0), Buffer.from(name)])
}
