import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { BIG } from './big-answers.ts'
import { HARD } from './hard-answers.ts'
import { type Browsing, canBrowse, HOW_TO_BROWSE, startBrowsing } from './open-page.ts'
import { EMPTY } from './recorded-answers.ts'
import { type RecordedServer, startRecordedServer } from './recorded-server.ts'

/** A browser, and one server for each thing a page can meet. */
export interface Stage {
  readonly browsing: Browsing
  readonly servers: Readonly<Record<'full' | 'empty' | 'hard' | 'big' | 'signed-out', RecordedServer>>
  /** Fails when the UI asked, or was answered, otherwise than the contract says. */
  close(): Promise<void>
}

async function startStage(): Promise<Stage> {
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

/** Tests of pages in Chromium, with a stage of their own; `suite` may use it within tests only. */
export function describeOnStage(title: string, suite: (stage: Pick<Stage, 'browsing' | 'servers'>) => void): void {
  describe.skipIf(!canBrowse)(canBrowse ? title : `${title} (to run: ${HOW_TO_BROWSE})`, () => {
    let started: Stage | undefined
    beforeAll(async () => {
      started = await startStage()
    })
    afterAll(() => started?.close())
    const stage = () => {
      if (started === undefined) throw new Error('the stage is there within tests only')
      return started
    }
    suite({
      get browsing() {
        return stage().browsing
      },
      get servers() {
        return stage().servers
      },
    })
  })
}

export async function showsText(page: Page, text: string): Promise<void> {
  await expect.poll(async () => (await page.locator('body').innerText()).replace(/\s+/g, ' ')).toContain(text)
}
