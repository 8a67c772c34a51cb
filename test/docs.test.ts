import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ADMIN_TOKEN, spawnUsher } from '../src/testkit/spawn-usher.ts'

/** Commands in the guides, literally, against a running server; those of the README have a test of their own. */
const root = join(import.meta.dirname, '..')
const canRun =
  process.platform !== 'win32' &&
  ['bash', 'curl'].every((program) => spawnSync(program, ['--version']).status === 0) &&
  existsSync(join(root, 'dist', 'cli', 'main.js'))

test.skipIf(!canRun && process.env['CI'] !== 'true')(
  'the commands of docs/delivery.md find dead letters and count what a replay would send [SEC-48]',
  async () => {
    const commands = [...readFileSync(join(root, 'docs', 'delivery.md'), 'utf8').matchAll(/```sh\n([\s\S]*?)```/g)]
    expect(commands).toHaveLength(2)
    const dataDir = mkdtempSync(join(tmpdir(), 'usher-docs-'))
    const usher = await spawnUsher({ dataDir })
    try {
      const answers = commands.map(([, command = '']) => {
        const script = command.replaceAll('http://127.0.0.1:8081', usher.adminUrl)
        const env = { PATH: process.env['PATH'], TOKEN: ADMIN_TOKEN }
        return JSON.parse(spawnSync('bash', ['--norc', '-ec', script], { encoding: 'utf8', env }).stdout) as unknown
      })
      expect(answers[0]).toEqual({ total: 0, page: 0, pageSize: 10, list: [] })
      expect(answers[1]).toMatchObject({ matched: 0, queued: 0 })
    } finally {
      await usher.stop()
      rmSync(dataDir, { recursive: true, force: true })
    }
  },
)
