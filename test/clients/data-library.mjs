// The data integration library (DIL) against the edge, unmodified, started by `DIL.create`. Source: docs/spec/clients.md
// [CLI-20]..[CLI-23].
import assert from 'node:assert/strict'
import { newVisit, until } from './browser.mjs'

export async function checkDataLibrary(world, check) {
  const visit = await newVisit(world.hosts)
  const { page, exchanges } = visit
  const eventCalls = () => exchanges.filter(({ url }) => url.pathname === '/event')
  const submit = (signals) => page.evaluate((all) => window.dil.api.signals(all, 'c_').submit(), signals)
  try {
    await page.goto('https://www.shop.test/')
    await page.evaluate((namespace) => {
      window.Visitor.getInstance(namespace)
      window.dil = window.DIL.create({ partner: 'shop', containerNSID: 0, visitorService: { namespace } })
    }, world.organization)
    await until(() => eventCalls().length >= 1, 'the first /event call')
    await page.evaluate(({ dpid, dpuuid }) => window.visitor?.idSyncByDataSource?.({ dpid: String(dpid), dpuuid }), {
      dpid: world.partnerIds,
      dpuuid: 'dil-visitor',
    })
    await submit({ category: 'shoes', size: ['41', '42'] })
    const calls = await until(() => eventCalls().length >= 2 && eventCalls(), 'the second /event call')
    const uuid = JSON.parse(calls[0].text).uuid

    await check('CLI-20', 'the form comes as the specification orders it, arrays as repeated keys', () => {
      const call = calls.find(({ post }) => post.includes('c_category=shoes'))
      assert.equal(call.method, 'POST')
      assert.match(call.url.search, /d_dil_ver=/)
      const keys = call.post.split('&').map((pair) => pair.split('=')[0])
      const order = ['d_mid', 'd_nsid', 'd_ld', 'd_rtbd', 'd_jsonv', 'd_dst'].filter((key) => keys.includes(key))
      assert.deepEqual(
        keys.filter((key) => order.includes(key)),
        order,
      )
      assert.equal(keys.filter((key) => key === 'c_size').length, 2)
    })
    await check('CLI-21', 'every answer is 200 with a JSON object, so the next submit is sent', async () => {
      for (const call of eventCalls()) {
        assert.equal(call.status, 200)
        assert.equal(JSON.parse(call.text).constructor, Object)
        assert.equal(call.headers['access-control-allow-origin'], 'https://www.shop.test')
      }
      const before = eventCalls().length
      await submit({ category: 'tents' })
      await until(() => eventCalls().length > before, 'another /event call')
    })
    await check('CLI-22', 'uuid, stuff and dests have the types the library reads', () => {
      for (const call of eventCalls()) {
        const { uuid: id, stuff, dests = [] } = JSON.parse(call.text)
        assert.match(id, /^[0-9]{38}$/)
        for (const item of stuff)
          assert.deepEqual(
            [typeof item.cn, typeof item.cv, typeof item.ttl, typeof item.dmn],
            ['string', 'string', 'number', 'string'],
          )
        for (const item of dests)
          assert.deepEqual([typeof item.id, typeof item.y, typeof item.c], ['string', 'string', 'string'])
      }
    })
    await check('CLI-22', 'what the page said made the visitor a member', async () => {
      const isMember = async () =>
        (await world.api.get(`/v1/profiles/${uuid}`)).segments.some(
          ({ sid, status }) => sid === world.segmentId && status === 'in',
        )
      await until(() => isMember().catch(() => false), 'the membership')
    })
    await check('CLI-23', 'after an opt-out the event that the library still sends is dropped', async () => {
      await page.evaluate(
        (id) => fetch(`https://dpm.demdex.net/demoptout.jpg?d_uuid=${id}`, { credentials: 'include', mode: 'no-cors' }),
        uuid,
      )
      const before = eventCalls().length
      await submit({ category: 'after-optout' })
      const call = await until(() => eventCalls()[before], 'the event after the opt-out')
      assert.equal(call.status, 200)
      assert.ok(call.text.includes('171') || JSON.parse(call.text).errors?.length > 0, call.text)
      const profile = await world.api.get(`/v1/profiles/${uuid}`).catch(() => ({ optOut: 'removed' }))
      assert.ok(profile.optOut)
    })
  } finally {
    await visit.close()
  }
}
