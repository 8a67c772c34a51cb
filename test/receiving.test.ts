import { spawnSync } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { signatureHeaders, webhookHeaders } from '../src/activation/sign.ts'
import { DESTINATION, deviceIn, manualTimers, openWorkbench, until } from '../src/activation/workbench.conformance.ts'
import { freePort } from '../src/testkit/free-port.ts'
import { parseS2sConfig } from '../src/testkit/s2s-settings.ts'

/** The code of docs/receiving.md, as it stands there. */
const root = join(import.meta.dirname, '..')
const page = readFileSync(join(root, 'docs', 'receiving.md'), 'utf8')
const codeIn = (language: string) =>
  [...page.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map(([, code = '']) => code)
const onCi = process.env['CI'] === 'true'

const plain = 'schlüssel_of_a_partner'
const whsec = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
const unpadded = `whsec_${Buffer.alloc(32, 8).toString('base64').replace(/=+$/, '')}`

interface Told {
  readonly destination?: string
  readonly time?: string
  readonly segments: Readonly<Record<string, '0' | '1'>>
  /** As a destination with `numbersAs` and `destinationIdKey` writes it. */
  readonly otherShape?: true
}

function messageText({ destination = '423', time = '12:00:01', segments, otherShape }: Told): string {
  const written = (digits: string) => (otherShape === undefined ? digits : Number(digits))
  return JSON.stringify({
    ProcessTime: `Sun Nov 22 ${time} UTC 2026`,
    [otherShape === undefined ? 'AAM_Destination_Id' : 'AAM_Destination_ID']: written(destination),
    Users: [
      {
        AAM_UUID: '1',
        DataPartner_UUID: 'p',
        Segments: Object.entries(segments).map(([id, status]) => ({
          Segment_ID: written(id),
          Status: written(status),
        })),
      },
    ],
  })
}

/** Messages in the order in which they are applied, and what a receiver knows of each membership in the end. */
const stories: readonly { readonly what: string; readonly messages: readonly Told[]; readonly known: object }[] = [
  {
    what: 'a message that comes late does not undo a newer one, and may come again',
    messages: [
      { time: '12:00:01', segments: { 7: '1' } },
      { time: '12:00:03', segments: { 7: '0' } },
      { time: '12:00:02', segments: { 7: '1' } },
      { time: '12:00:03', segments: { 7: '0' } },
    ],
    known: { '423 7': '0' },
  },
  {
    what: 'a late message still says what no newer one has said',
    messages: [
      { time: '12:00:01', segments: { 7: '1', 8: '1' } },
      { time: '12:00:03', segments: { 7: '1' } },
      { time: '12:00:02', segments: { 7: '0', 8: '0' } },
    ],
    known: { '423 7': '1', '423 8': '0' },
  },
  {
    what: 'an older message of another destination is no late one',
    messages: [
      { destination: '423', time: '12:00:05', segments: { 7: '1' } },
      { destination: '424', time: '12:00:02', segments: { 7: '0', 9: '1' } },
    ],
    known: { '423 7': '1', '424 7': '0', '424 9': '1' },
  },
  {
    what: 'in the same second what arrives later is the later one',
    messages: [
      { time: '12:00:01', segments: { 7: '0' } },
      { time: '12:00:01', segments: { 7: '1' } },
    ],
    known: { '423 7': '1' },
  },
  {
    what: 'numbers instead of texts and the other spelling of the destination are the same memberships',
    messages: [
      { time: '12:00:01', segments: { 7: '1', 8: '1' } },
      { time: '12:00:02', segments: { 7: '0' }, otherShape: true },
      { time: '12:00:03', destination: '424', segments: { 8: '1' }, otherShape: true },
    ],
    known: { '423 7': '0', '423 8': '1', '424 8': '1' },
  },
]

type Apply = (message: unknown) => unknown
interface Recipe {
  readonly receive: (body: Buffer, headers: object, apply: Apply) => Promise<number>
  readonly applyMessage: (memberships: Map<string, { readonly status: string }>, message: unknown) => void
  readonly isGenuine: (body: string, signature: unknown, keys: readonly string[], algorithm?: string) => boolean
}

const checker = join(root, 'dist', 'partner', 'verify-signature.js')
describe.skipIf(!existsSync(checker) && !onCi)('the JavaScript of docs/receiving.md', () => {
  const folder = mkdtempSync(join(tmpdir(), 'usher-receiving-'))
  let recipe: Recipe
  beforeAll(async () => {
    const [simple = '', whole = ''] = codeIn('js')
    const built = readFileSync(checker, 'utf8').replace(/^\/\/# sourceMappingURL.*$/m, '')
    writeFileSync(join(folder, 'verify-signature.mjs'), built)
    writeFileSync(join(folder, 'simple.mjs'), `${simple}\nexport { isGenuine }`)
    writeFileSync(join(folder, 'receiver.mjs'), whole.replace('verify-signature.ts', 'verify-signature.mjs'))
    const load = (name: string) => import(/* @vite-ignore */ join(folder, name)) as Promise<object>
    recipe = { ...(await load('simple.mjs')), ...(await load('receiver.mjs')) } as Recipe
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  const sign = (text: string, algorithm = 'sha256') => createHmac(algorithm, 'the key').update(text).digest('base64')
  /** @param id of its own where a test must not meet another's */
  const request = (id: string, body = messageText({ segments: { 7: '1' } })) => {
    const timestamp = String(Math.floor(Date.now() / 1000))
    return {
      body: Buffer.from(body),
      headers: {
        'webhook-id': id,
        'webhook-timestamp': timestamp,
        'webhook-signature': `v1,${sign(`${id}.${timestamp}.${body}`)}`,
      },
    }
  }

  test('knows a genuine X-Signature of either mode, and no other [SEC-50~] [OUT-66~]', () => {
    const keys = ['old', 'the key']
    const hostile = [undefined, null, '', 'x', 'ü'.repeat(44), ['x'], sign('{} '), sign('{}', 'sha1')]
    expect(recipe.isGenuine('{}', sign('{}'), keys)).toBe(true)
    expect(recipe.isGenuine('{}', sign('{}', 'sha1'), keys, 'sha1')).toBe(true)
    expect(hostile.filter((signature) => recipe.isGenuine('{}', signature, keys))).toEqual([])
  })

  test('applies a genuine message once, and refuses it with one byte changed [SEC-51] [SEC-53~]', async () => {
    const { body, headers } = request('dl_once')
    const applied: unknown[] = []
    const receive = (text: Buffer, given: object) => recipe.receive(text, given, (one) => applied.push(one))
    expect(await receive(Buffer.from(`${body} `), headers)).toBe(401)
    expect(await receive(body, {})).toBe(401)
    expect(await receive(body, { ...headers, 'webhook-timestamp': '9'.repeat(5_000) })).toBe(401)
    expect([await receive(body, headers), await receive(body, headers)]).toEqual([200, 200])
    expect(applied).toEqual([JSON.parse(String(body))])
  })

  test('applies once what comes twice at one time, and answers neither before it is applied [SEC-53~]', async () => {
    const { body, headers } = request('dl_twice')
    let runs = 0
    let end = () => {}
    const apply = () => {
      runs += 1
      return new Promise<void>((resolve) => {
        end = resolve
      })
    }
    const answers: number[] = []
    const attempts = [1, 2].map(async () => void answers.push(await recipe.receive(body, headers, apply)))
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect([runs, answers]).toEqual([1, []])
    end()
    await Promise.all(attempts)
    expect([runs, answers]).toEqual([1, [200, 200]])
  })

  test('applies at its repeat what it answered 503 at first, sent by Usher itself [SEC-46~] [SEC-41~]', async () => {
    const port = await freePort()
    const memberships = new Map<string, { readonly status: string }>()
    const answers: number[] = []
    let isFull = true
    const server = createServer(async (incoming, response) => {
      const chunks: Buffer[] = []
      for await (const chunk of incoming) chunks.push(chunk as Buffer)
      const status = await recipe.receive(Buffer.concat(chunks), incoming.headers, (message) => {
        if (isFull) throw new Error('the disk is full')
        recipe.applyMessage(memberships, message)
      })
      answers.push(status)
      response.writeHead(status).end()
    })
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
    const timers = manualTimers()
    const auth = { type: 'hmac', keys: [{ key: 'the next key, during a rotation' }] }
    const config = { url: `http://127.0.0.1:${port}/in`, auth }
    try {
      await using bench = await openWorkbench(
        { destinations: [{ config }] },
        { after: timers.after, clock: () => Date.now(), random: () => 0.5 },
      )
      await bench.commit(deviceIn(1, [100]))
      await until(() => answers.length === 1)
      expect([answers, memberships.size]).toEqual([[503], 0])
      isFull = false
      await until(() => {
        timers.advance(1_000)
        return bench.ended.length === 1
      })
      expect(answers).toEqual([503, 200])
      expect(bench.ended[0]).toMatchObject({ status: 'acknowledged', destinationId: DESTINATION })
      expect([...memberships.values()].map(({ status }) => status)).toEqual(['1'])
    } finally {
      server.close()
    }
  })

  test.each(stories)('keeps the newest status of each membership: $what [OUT-35~]', ({ messages, known }) => {
    const memberships = new Map<string, { readonly status: string }>()
    for (const told of messages) recipe.applyMessage(memberships, JSON.parse(messageText(told)))
    const kept = [...memberships].map(([key, { status }]) => {
      const [destination, , , segment] = JSON.parse(key) as string[]
      return [`${destination} ${segment}`, status]
    })
    expect(Object.fromEntries(kept)).toEqual(known)
  })
})

const hasPython = spawnSync('python3', ['--version']).status === 0
describe.skipIf(!hasPython && !onCi)('the Python of docs/receiving.md', () => {
  const [code = ''] = codeIn('python')

  /** @returns what the script prints as JSON; `given` is what it was given */
  function run(script: string, given: unknown): unknown {
    const whole = `${code}\nimport sys\ngiven = json.load(sys.stdin)\n${script}`
    const { stdout, stderr } = spawnSync('python3', ['-c', whole], { encoding: 'utf8', input: JSON.stringify(given) })
    expect(stderr).toBe('')
    return JSON.parse(stdout)
  }

  const nowMs = Date.UTC(2026, 10, 22, 12)
  /** Headers as Usher makes them. */
  const signed = (body: string, keys: readonly string[], more: object = {}) => {
    const auth = { type: 'hmac', keys: keys.map((key) => ({ key })) }
    const url = 'https://in.halden.example'
    const parsed = parseS2sConfig({ url, userDpid: 1, auth, ...more }, { allowPrivate: false })
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues))
    return {
      headers: { ...Object.fromEntries(webhookHeaders(parsed.config, 'dl_1', nowMs, body)), 'webhook-id': 'dl_1' },
      signatures: signatureHeaders(parsed.config, body).map(([, value]) => value),
    }
  }

  test('knows genuine messages by every kind of key, and refuses the rest without falling over [SEC-50~] [SEC-51] [SEC-53~]', () => {
    const body = '{"User_count":"1","Client_ID":"Käufer"}'
    const given = {
      ...{ body, plain, whsec, unpadded, now: nowMs / 1000 },
      ...signed(body, [plain, whsec]),
      third: signed(body, [unpadded]).headers,
      compat: signed(body, [plain], { mode: 'compat' }).signatures,
    }
    const script = `
body, plain, whsec, now = given["body"].encode(), given["plain"], given["whsec"], given["now"]
def webhook(keys, text=body, seconds=0, headers=given["headers"], **changed):
    return verify_webhook(text, {**headers, **changed}, keys, now + seconds)
print(json.dumps({
    "genuine": [
        webhook([plain]), webhook([whsec]), webhook(["another-key-of-length", whsec]), webhook([whsec], seconds=300),
        webhook([given["unpadded"]], headers=given["third"]),
    ],
    "refused": [
        webhook(["another-key-of-length"]), webhook([]), webhook([whsec], body.replace(b"1", b"2")),
        webhook([whsec], seconds=301), webhook([whsec], seconds=-301), webhook([whsec], **{"webhook-id": "dl_2"}),
        webhook([whsec], headers={}), webhook([whsec], **{"webhook-signature": None}),
        webhook([whsec], **{"webhook-signature": "v1,\\u00fc \\udc80 "}), webhook([whsec], **{"webhook-id": "\\udc80"}),
        *[webhook([whsec], **{"webhook-timestamp": text}) for text in ["1e9", "-1", "\\u0661", "9" * 5000, ""]],
    ],
    "signatures": [
        [verify_signature(body, one, [plain]) for one in given["signatures"]],
        [verify_signature(body, one, [plain, whsec]) for one in given["signatures"]],
        [verify_signature(body, one, [plain], "sha1") for one in given["compat"]],
        [verify_signature(body, one, [plain]) for one in [None, "", "x", "\\u00fc" * 44, "\\udc80", *given["compat"]]],
        [verify_signature(body + b" ", one, [plain]) for one in given["signatures"]],
    ],
}))`
    expect(run(script, given)).toEqual({
      genuine: Array(5).fill('dl_1'),
      refused: Array(15).fill(null),
      signatures: [[true, false], [true, true], [true], Array(6).fill(false), [false, false]],
    })
  })

  test('applies at its repeat what it answered 503 at first, and what comes eight times at one time once [SEC-53~]', () => {
    const body = messageText({ segments: { 7: '1' } })
    const given = { body, whsec, now: nowMs / 1000, ...signed(body, [whsec]) }
    const script = `
import os, tempfile
from concurrent.futures import ThreadPoolExecutor
body = given["body"].encode()
path = os.path.join(tempfile.mkdtemp(), "store")
db = open_store(path)
def attempt(db):
    return receive(db, body, given["headers"], [given["whsec"]], given["now"])
db.execute("PRAGMA query_only = ON")
answers = [attempt(db)]
db.execute("PRAGMA query_only = OFF")
db.execute("CREATE TRIGGER full BEFORE INSERT ON memberships BEGIN SELECT RAISE(ABORT, 'the disk is full'); END")
answers.append(attempt(db))
db.execute("DROP TRIGGER full")
db.executescript("CREATE TABLE log (status TEXT); CREATE TRIGGER told AFTER INSERT ON memberships BEGIN INSERT INTO log VALUES (new.status); END; CREATE TRIGGER again AFTER UPDATE ON memberships BEGIN INSERT INTO log VALUES (new.status); END")
db.commit()
def side_by_side(_):
    return attempt(open_store(path))
with ThreadPoolExecutor(8) as threads:
    answers += threads.map(side_by_side, range(8))
answers += [attempt(db), receive(db, body + b" ", given["headers"], [given["whsec"]], given["now"])]
print(json.dumps([answers, db.execute("SELECT status FROM log").fetchall(), db.execute("SELECT destination, segment, status FROM memberships").fetchall()]))`
    expect(run(script, given)).toEqual([[503, 503, ...Array(8).fill(200), 200, 401], [['1']], [['423', '7', '1']]])
  })

  test.each(stories)('keeps the newest status of each membership: $what [OUT-35~]', ({ messages, known }) => {
    const script = `
db = open_store(":memory:")
for text in given:
    apply_message(db, json.loads(text))
rows = db.execute("SELECT destination || ' ' || segment, status FROM memberships").fetchall()
print(json.dumps(dict(rows)))`
    expect(run(script, messages.map(messageText))).toEqual(known)
  })
})
