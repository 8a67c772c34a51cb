import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ADMIN_TOKEN, spawnUsher } from '../src/testkit/spawn-usher.ts'

/** Commands and code in the guides, literally; those of the README and of the tag have tests of their own. */
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

test.skipIf(!canRun && process.env['CI'] !== 'true')(
  'the commands of docs/backup.md make a backup of a running server and restore it [SEC-90] [OPS-14]',
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
      expect(sh(commands[1]?.[1])).toMatch(/^Restored into restored: the backup of .*\n[\s\S]*0 problems/)
    } finally {
      await usher.stop()
      rmSync(folder, { recursive: true, force: true })
    }
  },
)

test.skipIf(!canRun && process.env['CI'] !== 'true')(
  'the receiver of docs/receiving.md takes a genuine message once, and refuses it with one byte changed [SEC-50] [SEC-51]',
  () => {
    const [simple = '', whole = ''] = [
      ...readFileSync(join(root, 'docs', 'receiving.md'), 'utf8').matchAll(/```js\n([\s\S]*?)```/g),
    ].map(([, code = '']) => code)
    const folder = mkdtempSync(join(tmpdir(), 'usher-docs-'))
    try {
      cpSync(join(root, 'dist', 'partner', 'verify-signature.js'), join(folder, 'verify-signature.mjs'))
      writeFileSync(join(folder, 'simple.mjs'), `${simple}\nexport { isGenuine }`)
      const receiver = whole
        .replace('verify-signature.ts', 'verify-signature.mjs')
        .replace('const webhook', 'export function receive(body, request, answer) {\nconst webhook')
      writeFileSync(join(folder, 'receiver.mjs'), `${receiver}\nanswer('new')\n}`)
      writeFileSync(
        join(folder, 'send.mjs'),
        `import { createHmac } from 'node:crypto'
        import { receive } from './receiver.mjs'
        import { isGenuine } from './simple.mjs'
        const sign = (text) => createHmac('sha256', 'the key').update(text).digest('base64')
        const [body, timestamp] = ['{"User_count":"1"}', String(Math.floor(Date.now() / 1000))]
        const answers = []
        const request = { headers: {
          'x-signature': sign(body),
          'webhook-id': 'dl_1',
          'webhook-timestamp': timestamp,
          'webhook-signature': 'v1,' + sign('dl_1.' + timestamp + '.' + body),
        } }
        for (const arrived of [body.replace('1', '2'), body, body]) {
          receive(arrived, request, (answer) => answers.push(answer))
          answers.push(isGenuine(arrived, request.headers['x-signature'], ['old', 'the key']))
        }
        console.log(JSON.stringify(answers))`,
      )
      const { stdout, stderr } = spawnSync(process.execPath, [join(folder, 'send.mjs')], { encoding: 'utf8' })
      expect(stderr).toBe('')
      expect(JSON.parse(stdout)).toEqual([401, false, 'new', true, 200, true])
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
)
