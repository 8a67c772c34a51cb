import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { defineOverApi } from '../testkit/define-over-api.ts'
import { startReceiver } from '../testkit/receiver.ts'
import { startWholeServer } from '../testkit/start-whole-server.ts'

/** The whole server, where a segment is unmapped from a destination and nobody comes by. */
let dataDir = ''
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'usher-unmapped-'))
})
afterEach(() => rmSync(dataDir, { recursive: true, force: true }))

const ANNA = '7'.repeat(38)

test('with unsegmentOnUnmap the members of an unmapped segment are told out without a visit, under its alias; without it nothing is sent [OUT-58]', async () => {
  await using receiver = await startReceiver()
  await using usher = await startWholeServer(dataDir)
  const auth = { type: 'none' }
  const { dataSourceId, segmentIds } = await defineOverApi(usher, {
    traits: [{ name: 'look' }],
    segments: [{ name: 'Lookers', rule: ({ look }) => `${look}T` }],
    url: `${receiver.url}/unused`,
    auth,
  })
  const make = async (name: string, unsegmentOnUnmap: boolean) => {
    const s2s = { url: `${receiver.url}/${name}`, userDpid: dataSourceId, auth, unsegmentOnUnmap }
    const draft = { name, destinationType: 'S2S', s2s }
    const { destinationId } = await usher.api<{ destinationId: number }>('POST', '/v1/destinations/', draft)
    const path = `/v1/destinations/${destinationId}/mappings`
    const mapping = { sid: segmentIds[0], traitAlias: `shoes of ${name}` }
    return `${path}/${(await usher.api<{ mappingId: number }>('POST', path, mapping)).mappingId}`
  }
  const told = (name: string) =>
    receiver.records
      .filter(({ path }) => path === `/${name}`)
      .flatMap(({ body }) => (JSON.parse(body) as Message).Users.flatMap(({ Segments }) => Segments))
      .map(({ Segment_ID, Status }) => [Segment_ID, Status])
  const mappings = [await make('wants', true), await make('plain', false)]
  const see = () => fetch(`${usher.edgeUrl}/event?d_uuid=${ANNA}&d_cid=${dataSourceId}%01anna&d_rtbd=json&c_do=look`)
  const seen = async () => {
    await see()
    return [told('wants').length > 0, told('plain').length > 0]
  }
  await expect.poll(seen, { timeout: 10_000 }).toEqual([true, true])
  const before = told('plain').length

  for (const mapping of mappings) await usher.api('DELETE', mapping)
  await expect.poll(() => told('wants').at(-1), { timeout: 10_000 }).toEqual(['shoes of wants', '0'])
  expect(told('plain')).toHaveLength(before)
})

interface Message {
  readonly Users: readonly { readonly Segments: readonly { readonly Segment_ID: string; readonly Status: string }[] }[]
}
