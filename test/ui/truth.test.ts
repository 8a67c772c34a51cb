import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Browsing, canBrowse, HOW_TO_BROWSE, startBrowsing } from './open-page.ts'
import type { Recorded } from './recorded-answers.ts'
import { type RecordedServer, startRecordedServer } from './recorded-server.ts'
import { showsText } from './stage.ts'
import { STOPPED } from './stopped-answers.ts'

/** What the UI says of a state is what the answer says, in each place. */
const name = canBrowse ? 'the admin UI tells what is' : `the admin UI tells what is (to run: ${HOW_TO_BROWSE})`

describe.skipIf(!canBrowse)(name, () => {
  let browsing: Browsing
  const servers: RecordedServer[] = []
  beforeAll(async () => {
    browsing = await startBrowsing()
  })
  afterAll(async () => {
    await browsing?.close()
    for (const server of servers) await server.close()
    expect(servers.flatMap(({ breaches }) => breaches)).toEqual([])
  })
  const open = async (recorded: Recorded, path: string) => {
    const server = await startRecordedServer(true, recorded)
    servers.push(server)
    return (await browsing.open(server.url + path)).page
  }

  test('a stopped replay says how many were sent and refused, and calls none of them done [SEC-48] [API-165~]', async () => {
    const page = await open(STOPPED, '/messages')
    await page.getByRole('button', { name: 'Replays' }).press('Enter')
    await page.getByRole('button', { name: '0 of 11 accepted, stopped' }).press('Enter')
    await showsText(page, 'Stopped.')
    await showsText(page, '11 were sent again and not accepted: the partner answered 400. None was accepted.')
    const said = await page.getByRole('dialog').innerText()
    expect(said).not.toContain('done')
    expect(said).not.toContain('before it was sent')
  })
})
