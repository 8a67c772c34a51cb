import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { consentString } from '../collect/test-consent.conformance.ts'
import { ConfigError, loadConfig } from '../config.ts'
import { startWholeServer } from '../testkit/start-whole-server.ts'
import { readCmpList } from './cmp-list.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'usher-cmp-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const written = (content: unknown) => {
  const path = join(folder, 'cmp-list.json')
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}
const cmp = (id: number, more: object = {}) => ({ id, name: `CMP ${id}`, isCommercial: true, ...more })
const list = (...cmps: { id: number }[]) => ({
  lastUpdated: '2026-11-19T16:00:00Z',
  cmps: Object.fromEntries(cmps.map((one) => [String(one.id), one])),
})

test('the list of IAB Europe is read, with the time from which a CMP is deleted [COL-248]', () => {
  const deleted = [cmp(7, { deletedDate: '2026-05-01T00:00:00Z' }), cmp(8, { deletedDate: '2026-05-02' })]
  const local = cmp(9, { deletedDate: '2026-05-03T01:00:00' })
  expect([...(readCmpList({ cmpListFile: written(list(cmp(2), ...deleted, local)) }) ?? [])]).toEqual([
    [2, null],
    [7, Date.UTC(2026, 4, 1)],
    [8, Date.UTC(2026, 4, 2)],
    [9, Date.UTC(2026, 4, 3, 1)],
  ])
  expect(readCmpList({ cmpListFile: undefined })).toBe(undefined)
})

test('a file that is missing or no such list stops the start with the name of the setting', () => {
  const refused = (path: string) => {
    expect(() => readCmpList({ cmpListFile: path })).toThrow(ConfigError)
    expect(() => readCmpList({ cmpListFile: path })).toThrow(`edge.cmpListFile (USHER_EDGE_CMP_LIST_FILE): ${path} `)
  }
  refused(join(folder, 'none.json'))
  for (const content of ['', '[]', '{"cmps":{}}', list(), list({ id: 0 }), list(cmp(7, { deletedDate: 'soon' }))])
    refused(written(content))
})

test('going on with unlisted CMPs is refused where there is no list to be on [SEC-76~]', () => {
  const env = { USHER_EDGE_ACCEPT_UNLISTED_CMP: '1' }
  expect(() => loadConfig({ env })).toThrow('edge.acceptUnlistedCmp (USHER_EDGE_ACCEPT_UNLISTED_CMP): has no effect')
  expect(loadConfig({ env: { ...env, USHER_EDGE_CMP_LIST_FILE: 'x.json' } }).edge.acceptUnlistedCmp).toBe(true)
})

test('a consent string of an unlisted CMP gives 313, of a deleted one 314, and is missing consent [COL-243], [SEC-76~]', async () => {
  const file = written(
    list(cmp(2), cmp(7, { deletedDate: '2020-05-01T00:00:00Z' }), cmp(8, { deletedDate: '2200-01-01' })),
  )
  const env = { USHER_EDGE_CMP_LIST_FILE: file }
  await using usher = await startWholeServer(mkdtempSync(join(folder, 'data-')), { env })
  const codesOf = async (cmpId: number) => {
    const consent = consentString({ cmpId })
    const response = await fetch(`${usher.edgeUrl}/event?d_rtbd=json&gdpr=1&gdpr_consent=${consent}`)
    const { errors = [] } = (await response.json()) as { errors?: { code: number }[] }
    return errors.map(({ code }) => code)
  }
  expect(await codesOf(2)).toEqual([])
  expect(await codesOf(8)).toEqual([])
  expect(await codesOf(3)).toEqual([313, 315])
  expect(await codesOf(7)).toEqual([314, 315])
})
