import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ADMIN_TOKEN, spawnUsher } from '../src/testkit/spawn-usher.ts'

/** Commands and code in the guides, literally; those of the README, the tag and the code of receivers have tests of their own. */
const root = join(import.meta.dirname, '..')
const canRun =
  process.platform !== 'win32' &&
  ['bash', 'curl'].every((program) => spawnSync(program, ['--version']).status === 0) &&
  existsSync(join(root, 'dist', 'cli', 'main.js'))

test.skipIf(!canRun && process.env['CI'] !== 'true')(
  'the commands of docs/delivery.md and docs/receiving.md find dead letters, count what a replay would send, and let letters go [SEC-48]',
  async () => {
    const commandsOf = (name: string) => [
      ...readFileSync(join(root, 'docs', name), 'utf8').matchAll(/```sh\n(curl[\s\S]*?)```/g),
    ]
    const commands = [...commandsOf('delivery.md'), ...commandsOf('receiving.md')]
    expect(commands).toHaveLength(5)
    const dataDir = mkdtempSync(join(tmpdir(), 'usher-docs-'))
    const usher = await spawnUsher({ dataDir })
    try {
      const answers = commands.map(([, command = '']) => {
        const script = command.replaceAll('http://127.0.0.1:8081', usher.adminUrl)
        const env = { PATH: process.env['PATH'], TOKEN: ADMIN_TOKEN }
        return JSON.parse(spawnSync('bash', ['--norc', '-ec', script], { encoding: 'utf8', env }).stdout) as unknown
      })
      expect(answers[0]).toEqual({ total: 0, page: 0, pageSize: 10, list: [] })
      expect(answers.slice(1)).toMatchObject([
        { matched: 0, queued: 0 },
        { code: 'not_found', message: 'There is no replay REPLAY_ID.' },
        { matched: 0, discarded: 0 },
        { matched: 0, queued: 0 },
      ])
    } finally {
      await usher.stop()
      rmSync(dataDir, { recursive: true, force: true })
    }
  },
)

test.skipIf(!canRun && process.env['CI'] !== 'true')(
  'the commands of docs/backup.md make a backup of a running server and restore it [SEC-90] [OPS-14~]',
  async () => {
    const commands = [...readFileSync(join(root, 'docs', 'backup.md'), 'utf8').matchAll(/```sh\n([\s\S]*?)```/g)]
    expect(commands).toHaveLength(2)
    const folder = mkdtempSync(join(tmpdir(), 'usher-docs-'))
    const usher = await spawnUsher({ dataDir: join(folder, 'data') })
    try {
      const env = { PATH: process.env['PATH'], USHER_ADMIN_PORT: new URL(usher.adminUrl).port }
      const sh = (command = '') => {
        const script = command.replaceAll('bin/usher', join(root, 'bin', 'usher'))
        const done = spawnSync('bash', ['--norc', '-ec', script], { cwd: folder, encoding: 'utf8', env })
        expect(done.stderr).toBe('')
        return done.stdout
      }
      expect(sh(commands[0]?.[1])).toContain('Backup written to usher.backup')
      await usher.stop()
      expect(sh(commands[1]?.[1])).toMatch(/^Restored into restored: the backup of .*\n[\s\S]*no problem found/)
    } finally {
      await usher.stop()
      rmSync(folder, { recursive: true, force: true })
    }
  },
)
