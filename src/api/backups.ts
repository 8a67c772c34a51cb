import type { Readable } from 'node:stream'
import { z } from 'zod'
import type { Routes } from './app.ts'
import { operationsOf } from './operation-words.ts'
import { Problem } from './problem.ts'

/** Makes backups of the running server; `usher backup` calls it [SEC-90]. */
export interface BackupDesk {
  /** @returns undefined while another is being made */
  start(): Promise<{ readonly bytes: Readable; readonly aboutBytes: number } | undefined>
}

/** About how many bytes will come, for a progress bar. */
export const ABOUT_BYTES_HEADER = 'usher-about-bytes'

/** `POST /v1/backups` answers the backup itself, at the pace of the one who asks; an answer that breaks off is none. */
export const backupRoutes: Routes<{ backups: BackupDesk }> = (app, { backups }) => {
  const words = operationsOf('Operation')(
    'Make a backup',
    'The answer is the backup: everything acknowledged before, as of one moment, encrypted with a key that is derived from the master key. The server goes on meanwhile. 409 `backup_running` while another is being made.',
  )
  const schema = { ...words, produces: ['application/octet-stream'], response: { 200: z.custom<Readable>() } }
  app.post('/v1/backups', { schema }, async (_request, reply) => {
    const backup = await backups.start()
    if (backup === undefined)
      throw new Problem(409, 'backup_running', 'Another backup is being made. Wait for its end, then repeat this.')
    return reply
      .type('application/octet-stream')
      .header(ABOUT_BYTES_HEADER, String(backup.aboutBytes))
      .send(backup.bytes)
  })
}
