// The calls of the mobile extensions, judged by a strict decoder. Source: docs/spec/clients.md [CLI-30]..[CLI-32].
import assert from 'node:assert/strict'
import { strictComplaints } from './strict-decoder.mjs'

export async function checkMobileSdk({ edgeUrl, http, organization }, check) {
  for (const platform of ['ios', 'android']) {
    await check('CLI-31', `the answer to ${platform} is decoded strictly`, async () => {
      const query = `c_category=shoes&d_orgid=${encodeURIComponent(organization)}&d_ptfm=${platform}&d_dst=1&d_rtbd=json&dcs_region=9`
      const first = await http.call(`${edgeUrl}/event?${query}`, { headers: { host: 'shop.demdex.net' } })
      assert.equal(first.status, 200)
      assert.deepEqual(strictComplaints(first.body), [])
      const { uuid } = JSON.parse(first.body)
      const second = await http.call(`${edgeUrl}/event?${query}&d_uuid=${uuid}`, {
        headers: { host: 'shop.demdex.net' },
      })
      assert.equal(JSON.parse(second.body).uuid, uuid)
      assert.deepEqual(strictComplaints(second.body), [])
    })
  }
  await check('CLI-32', 'the opt-out call is answered with an image', async () => {
    const { uuid } = JSON.parse(
      (await http.call(`${edgeUrl}/event?d_rtbd=json&d_ptfm=ios`, { headers: { host: 'shop.demdex.net' } })).body,
    )
    const answer = await http.call(`${edgeUrl}/demoptout.jpg?d_uuid=${uuid}`, { headers: { host: 'shop.demdex.net' } })
    assert.equal(answer.status, 200)
    assert.match(String(answer.headers['content-type']), /^image\//)
  })
}
