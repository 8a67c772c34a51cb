import type { Authorship } from '../store/catalog/connection.ts'

/** Members that every stored object shows [API-39]. */
export function authorship(stored: Authorship, pid: number) {
  return {
    pid,
    crUID: stored.createdBy,
    upUID: stored.updatedBy,
    createTime: stored.createdAtMs,
    updateTime: stored.updatedAtMs,
  }
}
