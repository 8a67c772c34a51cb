import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ClockView, ExplainView, Overview, ProfileView } from '../contract.ts'
import { type DefinedOverApi, defineOverApi } from '../testkit/define-over-api.ts'
import { type FakeMachine, makeFakeMachine } from '../testkit/fake-machine.ts'
import { startReceiver } from '../testkit/receiver.ts'
import { ADMIN_TOKEN } from '../testkit/spawn-usher.ts'
import { startWholeServer } from '../testkit/start-whole-server.ts'

/** The whole server on a machine whose clock goes wrong: what is kept, what partners hear, what the operator reads. */
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const NOON = Date.UTC(2027, 5, 10, 12)
const VISITORS = 20

let dataDir = ''
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'usher-clock-'))
})
afterEach(() => rmSync(dataDir, { recursive: true, force: true }))

const deviceId = (visitor: number) => String(visitor).padStart(38, '4')

type Server = Awaited<ReturnType<typeof startWholeServer>>

interface Message {
  readonly ProcessTime: string
  readonly Users: readonly { readonly Segments: readonly { readonly Status: string; readonly DateTime: string }[] }[]
}

interface Scene {
  readonly machine: FakeMachine
  readonly defined: DefinedOverApi<'look'>
  /** Statuses told, in order. */
  readonly told: () => readonly string[]
  readonly messages: () => readonly Message[]
  start(): Promise<Server>
}

/** Twenty visitors with a trait of 30 days are in a segment, and their partner knows. */
async function readiness(usher: Server): Promise<[number, unknown]> {
  const answer = await fetch(`${usher.edgeUrl}/readyz`)
  return [answer.status, await answer.json()]
}

test('at a time that cannot be kept events are 503 and it is not ready, opt-outs are taken; set right, it goes on [SEC-82~] [SEC-86~] [SEC-11~]', async () => {
  const machine = makeFakeMachine(Date.UTC(2106, 1, 7, 6, 28, 16), { ticks: true })
  await using usher = await startWholeServer(dataDir, { machineClock: machine })
  const event = (visitor: number) => fetch(`${usher.edgeUrl}/event?d_uuid=${deviceId(visitor)}&c_do=look`)
  expect(await readiness(usher)).toEqual([503, { status: 'not_ready', reasons: ['clock_out_of_range'] }])
  const refused = await event(1)
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1'])
  expect((await fetch(`${usher.edgeUrl}/demoptout.jpg?d_uuid=${deviceId(2)}`)).status).toBe(200)
  await expect(usher.api('POST', '/v1/clock/confirm', {})).rejects.toThrow('409')
  expect((await usher.api<Overview>('GET', '/v1/overview')).needsAttention).toContainEqual(
    expect.objectContaining({ kind: 'clock', severity: 'critical', reason: 'out_of_range' }),
  )
  machine.leap(NOON - Date.UTC(2106, 1, 7, 6, 28, 16))
  await look()
  expect(await clockOf(usher)).toMatchObject({ state: 'trusted', leapSeconds: 0 })
  expect(await readiness(usher)).toEqual([200, { status: 'ready', reasons: [] }])
  expect((await event(1)).status).toBe(200)
  await usher.api<ProfileView>('GET', `/v1/profiles/${deviceId(1)}`)
  expect((await event(2)).headers.get('x-error')).toBe('171')
})

test('an opt-out at a time that cannot be kept is told with the last one that could [SEC-82~] [OUT-43~]', async () => {
  await withVisitors(async (usher, { machine, defined, told, messages }) => {
    machine.leap(100 * 365 * DAY)
    await look()
    machine.pass(4 * MINUTE)
    await look()
    expect((await readiness(usher))[1]).toMatchObject({ reasons: ['clock_out_of_range'] })
    await fetch(`${usher.edgeUrl}/demoptout.jpg?d_uuid=${deviceId(3)}`)
    await expect.poll(() => told().length, { timeout: 10_000 }).toBe(VISITORS + 1)
    const last = messages().at(-1)
    expect(last).toMatchObject({ Users: [{ Segments: [{ Segment_ID: String(defined.segmentIds[0]), Status: '0' }] }] })
    for (const at of [last?.ProcessTime, last?.Users[0]?.Segments[0]?.DateTime])
      expect(at).toMatch(/^\w+ Jun 10 12:.* 2027$/)
    machine.leap(-100 * 365 * DAY)
    await look()
    expect(await readiness(usher)).toEqual([200, { status: 'ready', reasons: [] }])
    expect(await clockOf(usher)).toMatchObject({ state: 'trusted', leapSeconds: 0 })
  })
}, 60_000)

test('events up to the last second that can be kept are stored, and the test clock goes no further [OPS-27]', async () => {
  const last = 0xffff_ffff * 1000
  const machine = makeFakeMachine(NOON, { ticks: true })
  await using usher = await startWholeServer(dataDir, { machineClock: machine, env: { USHER_CLOCK_OFFSET_MS: '1000' } })
  const advance = (advanceMs: number) => usher.api('POST', '/v1/test/clock', { advanceMs })
  await advance(last - NOON - HOUR)
  await expect(advance(2 * HOUR)).rejects.toThrow('times are kept from 1970 to 2106-02-07')
  expect((await fetch(`${usher.edgeUrl}/event?d_uuid=${deviceId(1)}&d_cid=2001%01p1&c_do=look`)).status).toBe(200)
  expect((await usher.api<ProfileView>('GET', `/v1/profiles/${deviceId(1)}`)).lastSeen).toMatch(/^2106-02-07T05:/)
  expect(await readiness(usher)).toEqual([200, { status: 'ready', reasons: [] }])
  const { now, machine: of, offsetSeconds } = await usher.api<ClockView>('GET', '/v1/clock')
  expect([now.slice(0, 13), of.slice(0, 13)]).toEqual(['2106-02-07T05', '2027-06-10T12'])
  expect(offsetSeconds).toBe(Math.round((last - NOON - HOUR + 1_000) / 1_000))
})

async function withVisitors(run: (usher: Server, scene: Scene) => Promise<void>): Promise<void> {
  const machine = makeFakeMachine(NOON, { ticks: true })
  await using receiver = await startReceiver()
  const messages = () => receiver.records.map(({ body }) => JSON.parse(body) as Message)
  const told = () => messages().flatMap(({ Users }) => Users.flatMap((user) => user.Segments.map((one) => one.Status)))
  const start = () => startWholeServer(dataDir, { machineClock: machine })
  await using usher = await start()
  const defined = await defineOverApi(usher, {
    traits: [{ name: 'look', ttl: 30 }],
    segments: [{ name: 'Lookers', rule: ({ look }) => `${look}T` }],
    url: `${receiver.url}/aam`,
    auth: { type: 'none' },
  })
  const scene = { machine, defined, told, messages, start }
  await visit(usher, scene, 'look')
  await expect.poll(() => told().length, { timeout: 10_000 }).toBe(VISITORS)
  await run(usher, scene)
}

async function visit(usher: Server, { defined }: Scene, did: string): Promise<void> {
  for (let visitor = 0; visitor < VISITORS; visitor++) {
    const id = `${defined.dataSourceId}%01v${visitor}`
    const url = `${usher.edgeUrl}/event?d_rtbd=json&d_uuid=${deviceId(visitor)}&d_cid=${id}&c_do=${did}`
    expect((await fetch(url)).status).toBe(200)
  }
}

/** What is known of each visitor; membership and explanation must say the same. */
async function judge(
  usher: Server,
  { defined }: Scene,
): Promise<{ readonly members: number; readonly traits: number }> {
  let [members, traits] = [0, 0]
  for (let visitor = 0; visitor < VISITORS; visitor++) {
    const path = `/v1/profiles/${deviceId(visitor)}`
    const explained = await usher.api<ExplainView>('GET', `${path}/explain?segmentId=${defined.segmentIds[0]}`)
    const view = await usher.api<ProfileView>('GET', path)
    const isIn = view.segments.some((segment) => segment.status === 'in')
    expect([explained.rule.holds, explained.inSince !== null]).toEqual([isIn, isIn])
    if (isIn) members++
    traits += view.traits.length
  }
  return { members, traits }
}

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
/** The guard looks every second. */
const look = () => wait(1_200)
const clockOf = (usher: Server) => usher.api<ClockView>('GET', '/v1/clock')
const everybody = { members: VISITORS, traits: VISITORS }

test('a clock that leaps 40 days ahead, or back, for seconds takes no trait, no membership and no message with it, also of those who visit meanwhile [SEC-82~]', async () => {
  await withVisitors(async (usher, scene) => {
    for (const leapMs of [40 * DAY, -40 * DAY, 400 * DAY]) {
      scene.machine.leap(leapMs)
      await visit(usher, scene, 'nothing')
      await look()
      expect(await clockOf(usher)).toMatchObject({ state: 'held', leapSeconds: leapMs / 1000 })
      expect(await judge(usher, scene)).toEqual(everybody)
      scene.machine.leap(-leapMs)
      await look()
      expect(await clockOf(usher)).toMatchObject({ state: 'trusted', leapSeconds: 0 })
    }
    await visit(usher, scene, 'look')
    expect(await judge(usher, scene)).toEqual(everybody)
    expect(scene.told()).not.toContain('0')
    // And the trait ends when it should: at midnight after its 30 days.
    scene.machine.pass(31 * DAY)
    await expect.poll(() => scene.told().filter((status) => status === '0').length, { timeout: 10_000 }).toBe(VISITORS)
    expect(await judge(usher, scene)).toEqual({ members: 0, traits: 0 })
  })
}, 60_000)

test('the overview, the metrics and the log say that the clock leapt, and which way; an operator can say that it is right [SEC-82~] [SEC-87~]', async () => {
  await withVisitors(async (usher, { machine }) => {
    const attention = async () =>
      (await usher.api<Overview>('GET', '/v1/overview')).needsAttention.filter(({ kind }) => kind === 'clock')
    const jumps = async () =>
      /^usher_clock_jump_total (\d+)$/m.exec(await (await fetch(`${usher.adminUrl}/metrics`)).text())?.[1]
    expect([await attention(), await jumps()]).toEqual([[], '0'])
    machine.leap(-2 * HOUR)
    await look()
    expect(await attention()).toMatchObject([{ severity: 'warning', reason: 'back' }])
    expect(await jumps()).toBe('1')
    const confirmed = await usher.api<ClockView>('POST', '/v1/clock/confirm')
    expect(confirmed).toMatchObject({ state: 'trusted', leapSeconds: 0, since: null })
    expect(Math.abs(Date.parse(confirmed.now) - machine.wallMs())).toBeLessThan(1_000)
    expect(await attention()).toEqual([])
    expect((await fetch(`${usher.adminUrl}/v1/clock/confirm`, { method: 'POST' })).status).toBe(401)
  })
}, 60_000)

test('a start at a wrong time forgets nothing and tells nothing, however often; with the right time all is as it was [SEC-82~]', async () => {
  await withVisitors(async (first, scene) => {
    await first.close()
    for (const leapMs of [40 * DAY, -40 * DAY]) {
      scene.machine.pass(HOUR)
      scene.machine.leap(leapMs)
      {
        await using wrong = await scene.start()
        await visit(wrong, scene, 'nothing')
        await look()
        expect(await clockOf(wrong)).toMatchObject({ state: 'held' })
        expect(await judge(wrong, scene)).toEqual(everybody)
      }
      scene.machine.leap(-leapMs)
    }
    await using right = await scene.start()
    expect(await clockOf(right)).toMatchObject({ state: 'trusted' })
    await look()
    expect(await judge(right, scene)).toEqual(everybody)
    expect(scene.told()).not.toContain('0')
  })
}, 60_000)

test('after the machine was off for 40 days events bear its time, and what expired meanwhile is told after an hour, or when an operator confirms the time [SEC-82~]', async () => {
  await withVisitors(async (first, scene) => {
    await first.close()
    scene.machine.restart(40 * DAY)
    await using usher = await scene.start()
    await visit(usher, scene, 'nothing')
    await look()
    expect(await clockOf(usher)).toMatchObject({ state: 'waiting', leapSeconds: expect.closeTo((40 * DAY) / 1000, -2) })
    expect(await judge(usher, scene)).toEqual(everybody)
    const seen = (await usher.api<ProfileView>('GET', `/v1/profiles/${deviceId(1)}`)).lastSeen
    expect(Date.parse(seen) - NOON).toBeGreaterThan(39 * DAY)
    expect(scene.told()).not.toContain('0')
    await usher.api('POST', '/v1/clock/confirm')
    await expect.poll(() => scene.told().filter((status) => status === '0').length, { timeout: 10_000 }).toBe(VISITORS)
    expect(await judge(usher, scene)).toEqual({ members: 0, traits: 0 })
  })
}, 60_000)

test('what a wrong time did for hours is healed when the right one is back: traits, memberships, due times, mappings, figures, sessions [SEC-82~] [SEC-91]', async () => {
  await withVisitors(async (usher, scene) => {
    const { machine, told } = scene
    machine.leap(40 * DAY)
    await look()
    machine.pass(4 * MINUTE)
    await look()
    expect(await clockOf(usher)).toMatchObject({ state: 'waiting' })
    // Written at the wrong time: a visit, a sign-in, figures.
    await visit(usher, scene, 'look')
    machine.pass(HOUR)
    await look()
    expect(await clockOf(usher)).toMatchObject({ state: 'followed' })
    const { setupToken } = await usher.api<{ setupToken: string }>('POST', '/v1/session/links')
    const signIn = await fetch(`${usher.adminUrl}/v1/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: usher.adminUrl },
      body: JSON.stringify({ setupToken }),
    })
    const cookie = (signIn.headers.get('set-cookie') ?? '').split(';')[0] ?? ''
    expect(signIn.status).toBeLessThan(300)

    machine.leap(-40 * DAY)
    await look()
    expect(await clockOf(usher)).toMatchObject({ state: 'trusted' })
    expect(await judge(usher, scene)).toEqual(everybody)
    const view = await usher.api<ProfileView>('GET', `/v1/profiles/${deviceId(3)}`)
    const rightMs = machine.wallMs()
    for (const at of [
      view.lastSeen,
      ...view.ids.map((id) => id.syncedAt),
      ...view.traits.map((trait) => trait.lastRealized),
    ])
      expect(Date.parse(at)).toBeLessThanOrEqual(rightMs + 1_000)
    // Realized at noon, and once more, as far as can be known, today.
    expect(view.traits[0]).toMatchObject({ count: 2, expires: '2027-07-11' })
    expect((await fetch(`${usher.adminUrl}/v1/overview`, { headers: { cookie } })).status).toBe(401)

    const overview = await usher.api<Overview>('GET', '/v1/overview?window=1h')
    expect(Date.parse(overview.since)).toBeLessThanOrEqual(rightMs + 1_000)
    await visit(usher, scene, 'nothing')
    const later = await usher.api<Overview>('GET', '/v1/overview?window=1h')
    expect(later.figures.events).toBe(overview.figures.events + VISITORS)
    expect(Date.parse(later.series.at(-1)?.at ?? '')).toBeLessThanOrEqual(rightMs + 1_000)

    const before = told().filter((status) => status === '0').length
    machine.pass(31 * DAY)
    await expect
      .poll(() => told().filter((status) => status === '0').length, { timeout: 10_000 })
      .toBe(before + VISITORS)
    expect(await judge(usher, scene)).toEqual({ members: 0, traits: 0 })
  })
}, 60_000)

test('memberships that a wrong time ended, and told, begin again when it is right: nothing was deleted [SEC-82~]', async () => {
  await withVisitors(async (usher, scene) => {
    const { machine, told } = scene
    const count = (status: string) => told().filter((one) => one === status).length
    machine.leap(40 * DAY)
    await look()
    machine.pass(4 * MINUTE)
    await look()
    machine.pass(HOUR)
    await expect.poll(() => count('0'), { timeout: 10_000 }).toBe(VISITORS)
    expect(await judge(usher, scene)).toEqual({ members: 0, traits: 0 })
    machine.leap(-40 * DAY)
    await expect.poll(() => count('1'), { timeout: 10_000 }).toBe(2 * VISITORS)
    expect(await judge(usher, scene)).toEqual(everybody)
  })
}, 60_000)

test('a record of the clock that cannot be read is said to be so, and the server starts [SEC-82~]', async () => {
  for (const text of ['', '{}', '{"line":{"wallMs":"soon"}}', 'no JSON', '[]', 'null']) {
    writeFileSync(join(dataDir, 'clock.json'), text)
    const machine = makeFakeMachine(NOON, { ticks: true })
    await using usher = await startWholeServer(dataDir, { machineClock: machine })
    const answer = await fetch(`${usher.adminUrl}/v1/clock`, { headers: { authorization: `Bearer ${ADMIN_TOKEN}` } })
    expect(await answer.json()).toMatchObject({ state: 'trusted' })
  }
}, 60_000)
