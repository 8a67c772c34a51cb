import type { Page } from 'playwright-core'
import { expect } from 'vitest'
import { BIG } from './big-answers.ts'
import { HARD } from './hard-answers.ts'
import { type Browsing, startBrowsing } from './open-page.ts'
import { EMPTY } from './recorded-answers.ts'
import { type RecordedServer, startRecordedServer } from './recorded-server.ts'

/** A browser, and one server for each thing a page can meet. */
export interface Stage {
  readonly browsing: Browsing
  readonly servers: Readonly<Record<'full' | 'empty' | 'hard' | 'big' | 'signed-out', RecordedServer>>
  /** Fails when the UI asked, or was answered, otherwise than the contract says. */
  close(): Promise<void>
}

export async function startStage(): Promise<Stage> {
  const servers = {
    full: await startRecordedServer(),
    empty: await startRecordedServer(true, EMPTY),
    hard: await startRecordedServer(true, HARD),
    big: await startRecordedServer(true, BIG),
    'signed-out': await startRecordedServer(false),
  }
  const browsing = await startBrowsing()
  return {
    browsing,
    servers,
    async close() {
      await browsing.close()
      for (const server of Object.values(servers)) await server.close()
      const breaches = Object.values(servers).flatMap((server) => server.breaches)
      expect(breaches, 'the UI or its recordings against the contract').toEqual([])
    },
  }
}

export async function showsText(page: Page, text: string): Promise<void> {
  await expect.poll(async () => (await page.locator('body').innerText()).replace(/\s+/g, ' ')).toContain(text)
}
