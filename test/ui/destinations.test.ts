import { expect, test } from 'vitest'
import { destinationTypes as builtTypes } from '../../src/activation/destinations/index.ts'
import { viewType } from '../../src/api/destination-types.ts'
import { destinationTypes } from '../../src/main/destination-types.ts'
import { exercise } from '../../src/testkit/exercise-destination.ts'
import { MADE_KEY, RECORDED } from './recorded-answers.ts'
import { startRecordedServer } from './recorded-server.ts'
import { describeOnStage, showsText } from './stage.ts'

/** The pages of destinations: what is sent is what was chosen, and nothing that the choice has no use for. */
describeOnStage('destinations', (stage) => {
  const sentTo = (path: string) => stage.servers.full.changes.filter((one) => one.path === path).at(-1)?.body

  test('a destination is made in the form, and the key that was made for it is shown this one time [OPS-50~]', async () => {
    const { page, complaints } = await stage.browsing.open(`${stage.servers.full.url}/destinations`)
    await page.getByRole('link', { name: 'New destination' }).click()
    await page.getByRole('textbox', { name: 'Name' }).fill('Fjord Ads')
    await page.getByRole('textbox', { name: 'Address' }).fill('https://in.fjord.example/aam')
    await page.getByRole('textbox', { name: 'Data sources' }).fill('77052, 20914')
    await page.getByRole('combobox', { name: 'Kind' }).click()
    await page.getByRole('option', { name: 'hmac' }).click()
    await page.getByRole('button', { name: 'Create' }).click()
    await showsText(page, 'Saved. A key was made.')
    await showsText(page, MADE_KEY)
    expect(await page.evaluate('document.activeElement?.textContent')).toContain('A key was made')
    expect(sentTo('/v1/destinations')).toEqual({
      name: 'Fjord Ads',
      destinationType: 'S2S',
      s2s: { url: 'https://in.fjord.example/aam', userDpid: [77052, 20914], auth: { type: 'hmac' } },
    })
    await page.getByRole('link', { name: 'To the destination' }).click()
    await page.getByRole('heading', { name: 'Halden DSP', level: 1 }).waitFor()
    await expect.poll(() => page.locator('body').innerText()).not.toContain(MADE_KEY)
    expect(complaints).toEqual([])
    await page.context().close()
  })

  test('Ctrl K leads to a destination, and an overview without any to making one', async () => {
    const { page } = await stage.browsing.open(stage.servers.full.url)
    await page.getByRole('heading', { name: 'Flow' }).waitFor()
    await page.keyboard.press('Control+k')
    await page.getByRole('combobox', { name: 'Part of a name' }).fill('halden')
    await page.getByRole('option', { name: 'Halden DSP' }).click()
    await expect.poll(() => new URL(page.url()).pathname).toBe('/destinations/423')
    await page.getByRole('heading', { name: 'Halden DSP', level: 1 }).waitFor()
    await page.goto(stage.servers.empty.url)
    await page.getByRole('link', { name: 'New destination' }).click()
    await expect.poll(() => new URL(page.url()).pathname).toBe('/destinations/new')
    await page.context().close()
  })

  test('a choice shows what belongs to it and leaves out what does not; a secret stays unless another is written', async () => {
    const { page } = await stage.browsing.open(`${stage.servers.full.url}/destinations/423/edit`)
    await page.getByRole('combobox', { name: 'Method' }).click()
    expect(await page.getByRole('textbox', { name: 'Url template' }).count()).toBe(0)
    await page.getByRole('option', { name: 'GET' }).click()
    await page.getByRole('textbox', { name: 'Url template' }).fill('/in?u=<DP_UUID>')
    await page.getByRole('button', { name: 'Save' }).click()
    await expect
      .poll(() => sentTo('/v1/destinations/423'))
      .toMatchObject({
        s2s: {
          ...{ method: 'GET', urlTemplate: '/in?u=<DP_UUID>' },
          auth: { keys: [{ key: { set: true, last4: 'K4T9', fingerprint: '4be1' } }] },
          headers: { 'X-Account': { set: true } },
        },
      })
    const { s2s } = sentTo('/v1/destinations/423') as { s2s: Record<string, unknown> }
    expect([s2s['usersPerMessage'], s2s['successStatuses']]).toEqual([undefined, undefined])
    await page.context().close()
  })

  test('what somebody else saved since the form was opened is not undone: it says so, and sends nothing', async () => {
    let updateTime = 0
    const server = await startRecordedServer(true, {
      ...RECORDED,
      answer(method, url, body) {
        const answer = RECORDED.answer(method, url, body)
        if (url.pathname !== '/v1/destinations/423' || updateTime === 0) return answer
        return { ...(answer as object), updateTime }
      },
    })
    const { page } = await stage.browsing.open(`${server.url}/destinations/423/edit`)
    await page.getByRole('textbox', { name: 'Address' }).waitFor()
    updateTime = Date.UTC(2026, 10, 20, 14, 30)
    await page.getByRole('textbox', { name: 'Address' }).fill('https://in.halden.example/other')
    await page.getByRole('button', { name: 'Save' }).click()
    await showsText(page, 'Somebody else changed it meanwhile.')
    // Where no field is to blame the keyboard goes to what is said.
    expect(await page.evaluate('document.activeElement?.textContent')).toContain('Somebody else')
    expect(server.changes).toEqual([])
    await page.context().close()
    await server.close()
  })

  test('two clicks on Create make one destination', async () => {
    const { page } = await stage.browsing.open(`${stage.servers.full.url}/destinations/new`)
    await page.getByRole('textbox', { name: 'Name' }).fill('Twice')
    const before = stage.servers.full.changes.length
    await page.getByRole('button', { name: 'Create' }).dblclick()
    await showsText(page, 'Saved. A key was made.')
    expect(stage.servers.full.changes.slice(before).map(({ path }) => path)).toEqual(['/v1/destinations'])
    await page.context().close()
  })

  test('a secret that was to be replaced and was left empty stays; a rotation has its header', async () => {
    const { page } = await stage.browsing.open(`${stage.servers.full.url}/destinations/423/edit`)
    await page.getByRole('textbox', { name: 'Address' }).waitFor()
    await page.evaluate('for (const one of document.querySelectorAll("details")) one.open = true')
    await page.getByRole('button', { name: 'Replace Key' }).first().click()
    await page.getByRole('textbox', { name: 'Rotation header' }).fill('X-Signature-Next')
    await page.getByRole('button', { name: 'Save' }).click()
    await expect
      .poll(() => sentTo('/v1/destinations/423'))
      .toMatchObject({
        s2s: { auth: { rotationHeader: 'X-Signature-Next', keys: [{ key: { set: true, last4: 'K4T9' } }] } },
      })
    await page.context().close()
  })

  test('a segment is added under the name that the partner has for it', async () => {
    const { page } = await stage.browsing.open(`${stage.servers.full.url}/destinations/423`)
    await page.getByRole('combobox', { name: 'Segment' }).click()
    await page.getByRole('option', { name: 'Ski tour planners' }).click()
    await page.getByRole('textbox', { name: 'What the partner calls it' }).fill('ski-7')
    await page.getByRole('button', { name: 'Add segment' }).click()
    await expect.poll(() => sentTo('/v1/destinations/423/mappings')).toEqual({ sid: 100104, traitAlias: 'ski-7' })
    await page.context().close()
  })

  test('a type that the UI knows nothing of has its form', async () => {
    const types = destinationTypes({ allowPrivate: false }, Buffer.alloc(32), [...builtTypes, exercise]).map(viewType)
    const server = await startRecordedServer(true, {
      ...RECORDED,
      answer: (method, url, body) =>
        url.pathname === '/v1/destination-types' ? types : RECORDED.answer(method, url, body),
    })
    const { page } = await stage.browsing.open(`${server.url}/destinations/new`)
    await page.getByRole('combobox', { name: 'Type' }).click()
    await page.getByRole('option', { name: 'Exercise' }).click()
    await page.getByRole('textbox', { name: 'Account' }).fill('90071992547409931234')
    await page.getByLabel('Pepper').first().fill('a pepper of ours')
    await page.getByRole('button', { name: 'Create' }).click()
    await expect
      .poll(() => server.changes.at(-1)?.body)
      .toMatchObject({
        destinationType: 'EXERCISE',
        exercise: { account: '90071992547409931234', pepper: 'a pepper of ours' },
      })
    await page.context().close()
    await server.close()
  })
})
