// VisitorAPI.js against the edge, unmodified. Source: docs/spec/clients.md [CLI-1]..[CLI-9].
import assert from 'node:assert/strict'
import { newVisit, until } from './browser.mjs'

/** @param world addresses and ids, made by scripts/clients.mjs */
export async function checkVisitorApi(world, check) {
  const visit = await newVisit(world.hosts)
  const { page, exchanges } = visit
  const idCalls = () => exchanges.filter(({ url }) => url.pathname === '/id')
  try {
    await page.goto('https://www.shop.test/')
    const ids = await page.evaluate(async (organization) => {
      const visitor = window.Visitor.getInstance(organization)
      visitor.setCustomerIDs({ crm_shop: { id: 'customer-1', authState: 1 } })
      window.visitor = visitor
      // All three at once, as pages do: a question asked after the answer is there may be answered by return value only.
      const ask = (method, ...rest) => new Promise((resolve) => visitor[method](resolve, ...rest))
      const [mid, hint, blob] = await Promise.race([
        Promise.all([ask('getMarketingCloudVisitorID', true), ask('getLocationHint'), ask('getAudienceManagerBlob')]),
        new Promise((resolve) => setTimeout(resolve, 8000, [])),
      ])
      return { mid, hint, blob }
    }, world.organization)
    const [first, ...later] = await until(() => idCalls().length >= 2 && idCalls(), 'the second /id call')

    await check('CLI-1', 'the calls are those the specification names, and both are answered', () => {
      const names = [...first.url.searchParams.keys()]
      const expected = ['d_visid_ver', 'd_fieldgroup', 'd_rtbd', 'd_ver', 'd_orgid', 'd_nsid', 'ts']
      assert.deepEqual(
        names.filter((name) => expected.includes(name)),
        expected,
      )
      assert.equal(first.url.searchParams.get('d_fieldgroup'), 'MC')
      const second = later.find(({ url }) => url.searchParams.get('d_fieldgroup') === 'AAM')
      assert.equal(second?.url.searchParams.get('d_mid'), ids.mid)
      assert.equal(JSON.parse(second.text).d_mid ?? ids.mid, ids.mid)
    })
    await check('CLI-2', 'the answer may be read by the page: its own origin, with credentials', () => {
      for (const call of idCalls()) {
        assert.equal(call.headers['access-control-allow-origin'], 'https://www.shop.test')
        assert.equal(call.headers['access-control-allow-credentials'], 'true')
      }
      assert.deepEqual(
        exchanges.filter(({ method }) => method === 'OPTIONS'),
        [],
      )
    })
    await check('CLI-3', 'every answer is 200 with a JSON object', () => {
      for (const call of idCalls()) {
        assert.equal(call.status, 200)
        assert.equal(JSON.parse(call.text).constructor, Object)
      }
    })
    await check('CLI-4', 'the library has taken over the ID, the region and the blob', () => {
      const answer = JSON.parse(first.text)
      assert.match(ids.mid, /^[0-9]{38}$/)
      assert.equal(ids.mid, answer.d_mid)
      assert.equal(Number(ids.hint), Number(answer.d_region ?? answer.dcs_region))
      assert.ok(String(ids.blob).length > 0)
    })
    await check('CLI-5', 'a sync with syncOnPage is fired on the page itself', async () => {
      const fired = await until(
        () => exchanges.find(({ url }) => url.host === 'on-page.partner.test'),
        'the sync on the page',
      )
      assert.equal(fired.isMainFrame, true)
    })
    await check('CLI-6', 'the other syncs go through the iframe dest5.html', async () => {
      const frame = await until(() => page.frames().find((one) => one.url().includes('/dest5.html')), 'the iframe')
      assert.match(frame.url(), /^https:\/\/[^/]+\.demdex\.net\/dest5\.html\?d_nsid=0#/)
      const fired = await until(
        () => exchanges.find(({ url }) => url.host === 'in-frame.partner.test'),
        'the sync in the iframe',
      )
      assert.equal(fired.isMainFrame, false)
    })
    await check('CLI-8', 'idSyncByDataSource links the ID', async () => {
      const partnerId = `from-page-${Date.now()}`
      await page.evaluate(({ dpid, dpuuid }) => window.visitor.idSyncByDataSource({ dpid: String(dpid), dpuuid }), {
        dpid: world.partnerIds,
        dpuuid: partnerId,
      })
      await until(
        () => exchanges.find(({ url }) => url.pathname === `/ibs:dpid=${world.partnerIds}&dpuuid=${partnerId}`),
        'the /ibs: call',
      )
      const profile = await until(
        () => world.api.get(`/v1/profiles/${world.partnerIds}:${partnerId}`).catch(() => undefined),
        'the link',
      )
      assert.ok(JSON.stringify(profile).includes(partnerId))
    })
    await check('CLI-9', 'a JSONP callback with index brackets is called with the answer', async () => {
      const answered = await page.evaluate(async (organization) => {
        window.s_c_il = [undefined, {}]
        const answer = new Promise((resolve) => Object.assign(window.s_c_il[1], { _setAnalyticsFields: resolve }))
        const script = document.createElement('script')
        script.src = `https://dpm.demdex.net/id?d_ver=2&d_rtbd=json&d_orgid=${encodeURIComponent(organization)}&d_cb=s_c_il%5B1%5D._setAnalyticsFields`
        document.head.append(script)
        return Promise.race([answer, new Promise((resolve) => setTimeout(resolve, 5000))])
      }, world.organization)
      assert.match(String(answered?.d_mid), /^[0-9]{38}$/)
    })
  } finally {
    await visit.close()
  }
  await checkOptOutStatus(world, check)
}

/** Before the visitor has opted in, the library asks for the opt-out alone. */
async function checkOptOutStatus(world, check) {
  const visit = await newVisit(world.hosts)
  try {
    await visit.page.goto('https://www.shop.test/')
    await check('CLI-7', '/optOutStatus answers what the library needs, and makes no ID', async () => {
      const optOut = await visit.page.evaluate(async (organization) => {
        const visitor = window.Visitor.getInstance(organization, { doesOptInApply: true })
        return Promise.race([
          new Promise((resolve) => visitor.getOptOut(resolve)),
          new Promise((resolve) => setTimeout(resolve, 8000, 'no callback')),
        ])
      }, world.organization)
      // The list joined by commas: empty when nothing is opted out.
      assert.equal(optOut, '')
      const call = await until(
        () => visit.exchanges.find(({ url }) => url.pathname === '/optOutStatus'),
        'the /optOutStatus call',
      )
      const answer = JSON.parse(call.text)
      assert.ok(Number.isInteger(answer.d_ottl))
      assert.deepEqual(
        (await visit.cookies()).filter(({ name }) => name === 'demdex'),
        [],
      )
    })
  } finally {
    await visit.close()
  }
}
