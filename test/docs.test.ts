import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parseS2sConfig } from '../src/activation/destinations/s2s.ts'
import { signatureHeaders, webhookHeaders } from '../src/activation/sign.ts'
import { ADMIN_TOKEN, spawnUsher } from '../src/testkit/spawn-usher.ts'

/** Commands and code in the guides, literally; those of the README and of the tag have tests of their own. */
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

const hasPython = spawnSync('python3', ['--version']).status === 0

test.skipIf(!hasPython && process.env['CI'] !== 'true')(
  'the Python of docs/receiving.md knows genuine messages by every kind of key, and keeps the newest state [SEC-50~] [SEC-51] [SEC-53~]',
  () => {
    const code = /```python\n([\s\S]*?)```/.exec(readFileSync(join(root, 'docs', 'receiving.md'), 'utf8'))?.[1]
    if (code === undefined) throw new Error('there is no Python on the page')
    const [plain, whsec] = ['schlüssel_of_a_partner', `whsec_${Buffer.alloc(32, 7).toString('base64')}`]
    const parsed = parseS2sConfig(
      { url: 'https://in.halden.example', userDpid: 1, auth: { type: 'hmac', keys: [{ key: plain }, { key: whsec }] } },
      { allowPrivate: false },
    )
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues))
    const body = '{"User_count":"1","Client_ID":"Käufer"}'
    const nowMs = Date.UTC(2026, 10, 22, 12)
    const headers = Object.fromEntries(webhookHeaders(parsed.config, 'dl_1', nowMs, body))
    const signatures = signatureHeaders(parsed.config, body).map(([, value]) => value)
    const message = (time: string, status: string) => ({
      ProcessTime: `Sun Nov 22 ${time} UTC 2026`,
      Users: [{ AAM_UUID: '1', DataPartner_UUID: 'p', Segments: [{ Segment_ID: '7', Status: status }] }],
    })
    const given = { body, headers: { ...headers, 'webhook-id': 'dl_1' }, signatures, plain, whsec, now: nowMs / 1000 }
    const messages = [
      message('12:00:01', '1'),
      message('12:00:03', '0'),
      message('12:00:02', '1'),
      message('12:00:03', '0'),
    ]
    const script = `${code}
import json, sys
given = json.load(sys.stdin)
body = given["body"].encode()
def webhook(keys, text=body, seconds=0, **changed):
    return verify_webhook(text, {**given["headers"], **changed}, keys, given["now"] + seconds)
users = {}
states = []
for message in given["messages"]:
    apply_message(users, message)
    states.append(users[("1", "p")]["segments"]["7"])
print(json.dumps([
    webhook([given["plain"]]), webhook([given["whsec"]]), webhook(["another-key-of-length", given["whsec"]]),
    webhook(["another-key-of-length"]), webhook([given["whsec"]], body.replace(b"1", b"2")),
    webhook([given["whsec"]], seconds=300), webhook([given["whsec"]], seconds=301), webhook([given["whsec"]], seconds=-301),
    webhook([given["whsec"]], **{"webhook-id": "dl_2"}), webhook([given["whsec"]], **{"webhook-timestamp": "1e9"}), webhook([]),
    [verify_signature(body, one, [given["plain"]]) for one in given["signatures"]],
    [verify_signature(body, one, [given["plain"], given["whsec"]]) for one in given["signatures"]],
    verify_signature(body + b" ", given["signatures"][0], [given["plain"]]),
    states,
]))
`
    const input = JSON.stringify({ ...given, messages })
    const { stdout, stderr } = spawnSync('python3', ['-c', script], { encoding: 'utf8', input })
    expect(stderr).toBe('')
    expect(JSON.parse(stdout)).toEqual([
      'dl_1',
      'dl_1',
      'dl_1',
      null,
      null,
      'dl_1',
      null,
      null,
      null,
      null,
      null,
      [true, false],
      [true, true],
      false,
      ['1', '0', '0', '0'],
    ])
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

test.skipIf(!canRun && process.env['CI'] !== 'true')(
  'the receiver of docs/receiving.md takes a genuine message once, and refuses it with one byte changed [SEC-50~] [SEC-51]',
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
