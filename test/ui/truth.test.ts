import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Browsing, canBrowse, HOW_TO_BROWSE, startBrowsing } from './open-page.ts'
import { DEAD, DEVICE, PARTNER_ID, RETRIED, type Recorded } from './recorded-answers.ts'
import { type RecordedServer, startRecordedServer } from './recorded-server.ts'
import { showsText } from './stage.ts'
import { HELD_BACK, OUT_OF_TIME, STOPPED, TROUBLED } from './truth-answers.ts'

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

  test('every partner that maps a segment is named with how it stands, and since when [OPS-52]', async () => {
    const page = await open(TROUBLED, `/profiles/${DEVICE}?segmentId=100101`)
    await showsText(page, 'Halden DSP waits, paused since 14:31:40')
    await showsText(page, 'Corvid Social retrying since 14:31:40')
    await showsText(page, 'Plume Mail waiting')
  })

  test('a message of a paused destination says that it waits for that, and since when it is paused [SEC-47~]', async () => {
    const page = await open(HELD_BACK, `/messages/${RETRIED}`)
    await showsText(page, 'Nothing is sent to its destination until that is resumed. Paused: by hand.')
  })

  test('a message stands in the time line when it became what it is, with what it told of this user among others', async () => {
    const page = await open(TROUBLED, `/profiles/${DEVICE}`)
    const rows = page.locator('.story-row')
    const retried = rows.filter({ has: page.locator(`a[href*="${RETRIED}"]`) })
    await expect
      .poll(() => retried.innerText())
      .toMatch(/^14:31:40[\s\S]*about 2 users: tried again[\s\S]*Out of Winter boots/)
    const again = rows.filter({ has: page.locator(`a[href*="${DEAD}"]`) })
    await expect.poll(() => again.innerText()).toMatch(/^14:20:00[\s\S]*acknowledged/)
  })

  test('a message that is tried again says when; one that was replayed shows how long it took, not an attempt more', async () => {
    const page = await open(TROUBLED, `/messages/${RETRIED}`)
    await showsText(page, 'Last: the partner answered 503. Next try 14:36:40.')
    const replayed = page.locator(`#d-${DEAD}`)
    await expect.poll(() => replayed.innerText()).toContain('74 ms')
    expect(await replayed.innerText()).not.toContain('attempt')
  })

  test('who waits at a paused partner is one number in card, headline, ledger, dialogue and beside its messages [OPS-40]', async () => {
    const page = await open(TROUBLED, '/')
    const says = '15 users wait; no message is built yet.'
    await showsText(page, `Halden DSP is paused ${says}`)
    await showsText(page, '1,284 dead letters, 16 users wait')
    await showsText(page, `Paused: by hand. ${says}`)
    await showsText(page, 'Halden DSP 2,821 messages')
    await page.getByRole('button', { name: 'Delivery to Halden DSP' }).press('Enter')
    await expect.poll(() => page.getByRole('dialog').innerText()).toContain(says)
    await page.getByRole('button', { name: 'See messages', exact: true }).last().press('Enter')
    await page.getByRole('note').getByText(says).waitFor()
    await showsText(page, 'No message matches')
  })

  test('a partner that refuses while nobody waits has one item, which leads to its dead letters', async () => {
    const page = await open(TROUBLED, '/')
    await showsText(
      page,
      'Corvid Social is not taking messages Nobody waits. 11 dead letters. Last: the partner answered 400.',
    )
    const rows = page.locator('.attention li').filter({ hasText: 'Corvid Social' })
    expect(await rows.count()).toBe(1)
    await rows.getByRole('button').press('Enter')
    await expect.poll(() => new URL(page.url()).search).toBe('?destinationId=424&status=dead')
  })

  test('a partner of whose messages one waits is drawn as such by that much, and no more', async () => {
    const page = await open(TROUBLED, '/')
    const last = page.locator('.flow-drawing rect.node').filter({ has: page.locator('xpath=self::*[@x="99.1"]') })
    await last.first().waitFor({ state: 'attached' })
    const heights: Record<string, number> = {}
    for (const rect of await last.all()) {
      const tone = (await rect.getAttribute('class'))?.split(' ')[1] ?? ''
      heights[tone] = (heights[tone] ?? 0) + Number(await rect.getAttribute('height'))
    }
    const { delivered = 0, waiting = 0, dead = 0 } = heights
    expect(delivered / (delivered + waiting + dead)).toBeGreaterThan(0.99)
    expect(waiting).toBeGreaterThan(0)
    expect(await page.locator('.flow-drawing path.waiting').count()).toBeGreaterThan(0)
    expect(await page.locator('.flow-drawing path.delivered').count()).toBeGreaterThan(0)
    // That something is wrong there is marked at its name.
    expect(await page.locator('.flow-drawing button.waiting .glyph.waiting').count()).toBe(3)
  })

  test('what stops the whole server is no matter of waiting: it is marked as lost, with what to do [SEC-82~]', async () => {
    const page = await open(OUT_OF_TIME, '/')
    const [clock, known] = [page.locator('.attention li').first(), page.locator('.attention li').last()]
    await expect.poll(() => clock.innerText()).toContain('Until the clock is set right every event is answered 503')
    expect(await clock.locator('.glyph').getAttribute('class')).toBe('glyph dead')
    expect(await known.locator('.glyph').getAttribute('class')).toBe('glyph waiting')
  })

  test('figures that count otherwise say what they count', async () => {
    const page = await open(TROUBLED, '/')
    await showsText(page, 'Sources 4, events with a trait')
    await page.getByRole('button', { name: 'See as table' }).press('Enter')
    await page.getByRole('button', { name: /more paths$/ }).press('Enter')
    await page
      .getByRole('cell', { name: /times told$/ })
      .first()
      .waitFor()
  })

  test('a page beyond the last says so, and leads to the last', async () => {
    const page = await open(TROUBLED, '/messages?page=999')
    await showsText(page, 'There is no page 999')
    expect(await page.locator('.list-foot').innerText()).not.toContain('1,762')
    await page.getByRole('button', { name: 'To the last page' }).press('Enter')
    await expect.poll(() => new URL(page.url()).search).toBe('?page=35')
  })

  test('the page of a partner ID says when its person was seen, and does not call the ID itself unsynced', async () => {
    const page = await open(TROUBLED, `/profiles/${encodeURIComponent(PARTNER_ID)}`)
    await showsText(page, 'Seen 14:07:11')
    await showsText(page, 'Partner IDs none but this one')
    expect(await page.locator('body').innerText()).not.toContain('none synced')
  })
})
