import { expect, test } from 'vitest'
import { DEVICE, dataSource, startTestEdge, testDirectory } from './test-edge.conformance.ts'

const optOutTools = [
  'https://optout.one.example/token/%participant_id%/%token%?n=%action_id%',
  'https://two.example:8443/back?t=%token%',
]
const host = 'www.demdex.net'

/** The token endpoint, called as a tool calls it; what a browser would keep of the answer. */
async function begin(
  call: (target: string, options: object) => Promise<{ cookies: readonly string[] }>,
  cookie = 'a=b',
) {
  const { cookies } = await call('/demoptout/token?participant_id=7', { headers: { host, cookie } })
  return `${cookie}; ${(cookies[0] ?? '').split(';')[0]}`
}

test('without a tool there is no token endpoint, and a cookie of that name means nothing [COL-235]', async () => {
  await using edge = await startTestEdge()
  const reply = await edge.call('/demoptout/token?participant_id=7', { headers: { host } })
  expect([reply.status, reply.cookies]).toEqual([404, []])
  expect((await edge.call('/event', { headers: { cookie: `dexoptout=${'x'.repeat(43)}` } })).codes()).toEqual([])
})

test('a tool gets the browser back with a token of its own, its parameters filled in and encoded [COL-235] [SEC-15]', async () => {
  await using edge = await startTestEdge({ config: { optOutTools } })
  const begun = async (query: string) => (await edge.call(`/demoptout/token?${query}`, { headers: { host } })).headers
  const first = await begun('participant_id=7&action_id=3%264')
  const token = /^dexoptout=([\w-]{43});/.exec(first['set-cookie']?.[0] ?? '')?.[1]
  expect(first.location).toBe(`https://optout.one.example/token/7/${token}?n=3%264`)
  expect(first['set-cookie']).toEqual([`dexoptout=${token}; Domain=.demdex.net; Path=/; Max-Age=300; HttpOnly`])
  expect((await begun('')).location).toMatch(/^https:\/\/optout\.one\.example\/token\/\/[\w-]{43}\?n=$/)
  expect((await begun('')).location).not.toContain(token)
})

test('the caller may choose among the tools and nothing else: no open redirect [COL-235] [SEC-13~]', async () => {
  await using edge = await startTestEdge({ config: { optOutTools } })
  const location = async (rd: string) =>
    (await edge.call(`/demoptout/token?rd=${encodeURIComponent(rd)}`, { headers: { host } })).headers.location
  expect(await location('https://two.example:8443/anything?x=1')).toMatch(
    /^https:\/\/two\.example:8443\/back\?t=[\w-]{43}$/,
  )
  for (const rd of ['https://evil.example/', 'https://two.example/', 'https://two.example:8443@evil.example/', 'text'])
    expect(await location(rd), rd).toBe(undefined)
  expect(edge.blockedRedirects).toEqual(['host', 'host', 'host', 'host'])
})

test('from the token to the opt-out every call gives 173: nothing stored, no ID told, no cookie set [COL-235] [COL-118~]', async () => {
  const directory = testDirectory([dataSource(420, { redirectHosts: ['partner.example'] })])
  await using edge = await startTestEdge({ directory, config: { optOutTools, cookieCheck: true } })
  const cookie = await begin(edge.call, `demdex=${DEVICE}`)
  for (const target of ['/event?c_a=b', `/event?d_rtbd=json&d_uuid=${DEVICE}`, '/id', '/ibs:dpid=420&dpuuid=u1']) {
    const reply = await edge.call(target, { headers: { cookie } })
    expect([reply.status, reply.codes(), reply.cookies]).toEqual([200, [173], []])
  }
  const json = await edge.call('/event?d_rtbd=json', { headers: { cookie } })
  expect(json.json()).toMatchObject({ errors: [{ code: 173, msg: 'Encountered trust relationship via NAI' }] })
  expect(json.json()).not.toHaveProperty('uuid')
  const redir = encodeURIComponent('https://partner.example/?u=${DD_UUID}')
  const sync = await edge.call(`/ibs:dpid=420&dpuuid=u1&redir=${redir}`, { headers: { cookie } })
  expect(sync.headers.location).toBe('https://partner.example/?u=')
  // A browser without our cookie is not sent round to see whether it keeps one.
  const unknown = await edge.call('/event?a=b', { headers: { cookie: await begin(edge.call) } })
  expect([unknown.status, unknown.codes(), unknown.cookies]).toEqual([200, [173], []])
  expect(edge.calls).toEqual([])
})

test('the opt-out ends it: from then on it is 171 [COL-235] [COL-226~]', async () => {
  await using edge = await startTestEdge({ config: { optOutTools } })
  const cookie = await begin(edge.call, `demdex=${DEVICE}`)
  const reply = await edge.call('/demoptout.jpg', { headers: { host, cookie } })
  expect(edge.optOuts).toMatchObject([{ level: 'global', cookieDeviceId: DEVICE }])
  expect(reply.cookies.map((set) => set.replace(/;.*Max-Age/, '; Max-Age'))).toEqual([
    'demdex=NOTARGET; Max-Age=315360000; HttpOnly',
    'dextp=NOTARGET; Max-Age=315360000; HttpOnly',
    'dexoptout=; Max-Age=0; HttpOnly',
  ])
  expect((await edge.call('/event', { headers: { cookie: 'demdex=NOTARGET; dexoptout=' } })).codes()).toEqual([171])
})

test('whose opt-out is done already hears 171, also while another is begun [COL-235] [COL-249]', async () => {
  await using edge = await startTestEdge({ config: { optOutTools } })
  const cookie = await begin(edge.call, 'demdex=NOTARGET')
  expect((await edge.call('/event', { headers: { cookie } })).codes()).toEqual([171])
})

test.each(['dexoptout=', 'dexoptout=1', `dexoptout=${'!'.repeat(43)}`, `xdexoptout=${'x'.repeat(43)}`])(
  'a cookie that is no token of ours keeps nobody out: %s [COL-235]',
  async (cookie) => {
    await using edge = await startTestEdge({ config: { optOutTools } })
    expect((await edge.call('/event', { headers: { cookie } })).codes()).toEqual([])
  },
)

test('neither overload nor page, place or token keep anybody from it [SEC-11~] [COL-235]', async () => {
  const config = {
    optOutTools,
    countryOf: () => 'KP',
    refererHosts: ['good.example'],
    imsTokens: { keys: [], clientIds: [] },
  }
  await using edge = await startTestEdge({ config, overloaded: () => true })
  const headers = { host, referer: 'https://bad.example/', authorization: 'Bearer x' }
  expect((await edge.call('/demoptout/token', { headers })).status).toBe(302)
  await edge.call('/demoptout.jpg', { headers: { ...headers, cookie: `demdex=${DEVICE}` } })
  expect(edge.optOuts).toHaveLength(1)
  const broken = await edge.call('/demoptout/token?a=%zz', { headers })
  expect([broken.status, broken.codes(), broken.cookies]).toEqual([200, [311], []])
})

test.each(['http://tool.example/', 'tool.example', 'https://%token%.example/', 'https://u:p@tool.example/'])(
  '%s is no address of a tool: the start is refused [SEC-15]',
  async (template) => {
    await expect(startTestEdge({ config: { optOutTools: [template] } })).rejects.toThrow(RangeError)
  },
)
