import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { loadConfig } from '../config.ts'
import { startWholeServer } from '../testkit/start-whole-server.ts'
import { backupDataDir } from './backup.ts'
import { verifyDataDir } from './verify-data-dir.ts'

/** A data directory in use, whose keys were changed while it was stopped. */
let folder = ''
let dataDir = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'usher-keys-'))
  dataDir = join(folder, 'data')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const start = (env: Record<string, string> = {}) => startWholeServer(dataDir, { env })
const at = (name: string) => join(dataDir, name)
const config = () => loadConfig({ env: { USHER_DATA_DIR: dataDir } })

function change(name: string): Buffer {
  const text = readFileSync(at(name))
  const other = Buffer.from(text)
  other[10] = other[10] === 0x41 ? 0x42 : 0x41
  writeFileSync(at(name), other)
  return text
}

test.each(['optout.key', 'ecid.key', 'master.key'])(
  'a %s with one other character stops start and backup, and a check says so [SEC-62~] [SEC-79]',
  async (name) => {
    await (await start()).close()
    await (await start()).close()
    const before = change(name)
    const sentence = new RegExp(`${name.replace('.', '\\.')} is not the key that this data directory was written with`)
    await expect(start()).rejects.toThrow(sentence)
    await expect(backupDataDir(config(), async () => {})).rejects.toThrow(sentence)
    const { keys } = await verifyDataDir(config(), () => {})
    expect(keys).toEqual([expect.stringMatching(sentence)])
    writeFileSync(at(name), before)
    expect((await verifyDataDir(config(), () => {})).keys).toEqual([])
    await (await start()).close()
  },
)

test('a data directory of before the checks were kept gets them, and its keys are known from then on [SEC-80~]', async () => {
  await (await start()).close()
  const { default: Libsql } = await import('libsql')
  const database = new Libsql(at('catalog.sqlite'))
  expect(database.prepare("DELETE FROM settings WHERE key LIKE 'key_check:%'").run([]).changes).toBe(2)
  database.close()
  await (await start()).close()
  change('ecid.key')
  await expect(start()).rejects.toThrow('ecid.key is not the key')
})

test('a check of a server in use names keys that are missing or damaged [SEC-60~]', async () => {
  await using usher = await start()
  rmSync(at('ecid.key'))
  writeFileSync(at('optout.key'), 'short')
  const answer = await fetch(`${usher.adminUrl}/v1/verify`, {
    method: 'POST',
    headers: { authorization: `Bearer ${readFileSync(at('admin.token'), 'utf8').trim()}` },
  })
  const { report } = JSON.parse((await answer.text()).trim().split('\n').at(-1) ?? '')
  expect(report.keys).toEqual([
    expect.stringContaining('optout.key does not hold 32 bytes'),
    expect.stringContaining('ecid.key is missing'),
  ])
})

test('a list of opt-outs is not put onto a file of somebody else, or of Usher itself [SEC-79]', async () => {
  await (await start()).close()
  const notes = join(folder, 'notes.txt')
  writeFileSync(notes, 'Do not lose.\n')
  const link = join(folder, 'link')
  symlinkSync(at('admin.token'), link)
  const kept = [notes, at('admin.token')].map((path) => [path, readFileSync(path)] as const)
  for (const [file, why] of [
    [notes, 'is no list of opt-outs of this installation'],
    [at('admin.token'), 'is in the data directory'],
    [link, 'is in the data directory'],
    [at('catalog.sqlite'), 'is in the data directory'],
    [at('new.list'), 'is in the data directory'],
    [at('profiles/opt-outs.list'), 'is in the data directory'],
    [folder, 'is there and is no file'],
  ] as const)
    await expect(start({ USHER_OPT_OUTS_LIST_FILE: file }), file).rejects.toThrow(why)
  for (const [path, content] of kept) expect(readFileSync(path)).toEqual(content)
  await (await start({ USHER_OPT_OUTS_LIST_FILE: join(folder, 'new.list') })).close()
  await (await start({ USHER_OPT_OUTS_LIST_FILE: at('opt-outs.list') })).close()
  expect(readFileSync(join(folder, 'new.list'), 'utf8')).toMatch(/^usher-opt-outs:/)
})
