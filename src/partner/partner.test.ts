import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { request } from 'undici'
import { describe, expect, test } from 'vitest'
import { startLeakCheck } from '../testkit/leak-check.ts'
import { startReceiver } from '../testkit/receiver.ts'
import { describeRecord, describeToken } from './describe-record.ts'
import type { TokenRecord } from './partner.ts'
import { signatureOf } from './verify-signature.ts'

const key = 'a signing key of a partner'
const DateTime = 'Wed Jul 27 16:17:42 UTC 2016'
function bodyOf(status: '1' | '0' = '1', segmentId = '100007'): string {
  const user = {
    AAM_UUID: '1'.repeat(38),
    DataPartner_UUID: 'visitor-4711',
    AAM_Regions: ['7'],
    Segments: [{ Segment_ID: segmentId, Status: status, DateTime }],
  }
  return JSON.stringify({
    ProcessTime: DateTime,
    User_DPID: '77052',
    Client_ID: '1',
    AAM_Destination_Id: '1',
    User_count: '1',
    Users: [user],
  })
}

async function post(url: string, body: string, headers: Record<string, string | string[]> = {}) {
  const response = await request(url, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', ...headers },
  })
  return {
    status: response.statusCode,
    headers: response.headers,
    body: Buffer.from(await response.body.arrayBuffer()),
  }
}
const signed = (body: string, with_ = key) => ({ 'X-Signature': signatureOf(body, with_, 'sha256') })

describe('judging', () => {
  test('a genuine message is accepted, recorded and folded [SEC-53] [OUT-75~]', async () => {
    await using partner = await startReceiver({ signing: { keys: [key] } })
    expect((await post(partner.url, bodyOf(), signed(bodyOf()))).status).toBe(200)
    expect(partner.records).toMatchObject([
      { number: 1, answer: 200, complaints: [], signature: { status: 'verified' }, changes: [{ what: 'joined' }] },
    ])
    expect(partner.state.members('100007')).toEqual(['visitor-4711'])
  })

  test('a message of more than 4 MiB is answered 413, and of large ones only the last are kept', async () => {
    await using partner = await startReceiver({})
    const large = 'x'.repeat(4 * 1024 * 1024)
    expect((await post(partner.url, `${large}x`)).status).toBe(413)
    for (let i = 0; i < 9; i++) await post(partner.url, large)
    expect(partner.records.map(({ number }) => number)).toEqual([2, 3, 4, 5, 6, 7, 8, 9])
  })

  test('a wrong or missing signature is answered 401 and changes nothing', async () => {
    await using partner = await startReceiver({ signing: { keys: [key] } })
    expect((await post(partner.url, bodyOf(), signed(bodyOf(), 'another key of a partner'))).status).toBe(401)
    expect((await post(partner.url, bodyOf())).status).toBe(401)
    expect((await post(partner.url, `${bodyOf()} `, signed(bodyOf()))).status).toBe(401)
    expect(partner.records.map((record) => record.signature.status)).toEqual(['wrong', 'missing', 'wrong'])
    expect(partner.state.entries()).toEqual([])
  })

  test('a message of another shape is answered 400 with the complaint in the record [OUT-211]', async () => {
    await using partner = await startReceiver()
    expect((await post(partner.url, bodyOf().replace('"User_count":"1"', '"User_count":"2"'))).status).toBe(400)
    expect(partner.records[0]?.complaints).toEqual(['User_count is "2", Users has 1'])
    expect((await post(partner.url, bodyOf(), { 'content-type': 'text/plain' })).status).toBe(400)
  })

  test('GET messages are signed over path and query [OUT-69]', async () => {
    await using partner = await startReceiver({ signing: { keys: [key] } })
    const path = '/from-aam-s2s?sids=1,2,3'
    const response = await request(`${partner.url}${path}`, { headers: signed(path) })
    await response.body.dump()
    expect(response.statusCode).toBe(200)
  })

  test('a webhook-id without a webhook-signature is no fault; a wrong webhook-signature is [SEC-41~] [SEC-51]', async () => {
    await using partner = await startReceiver({ signing: { keys: [key] } })
    expect((await post(partner.url, bodyOf(), { ...signed(bodyOf()), 'webhook-id': 'dl_1' })).status).toBe(200)
    const wrong = { 'webhook-id': 'dl_2', 'webhook-timestamp': '1', 'webhook-signature': 'v1,AAAA' }
    expect((await post(partner.url, bodyOf(), { ...signed(bodyOf()), ...wrong })).status).toBe(400)
    expect(partner.records[1]?.complaints).toEqual(['webhook signature: wrong'])
  })

  test('one webhook-id with two bodies is noticed [SEC-41~]', async () => {
    await using partner = await startReceiver()
    expect((await post(partner.url, bodyOf('1'), { 'webhook-id': 'dl_1' })).status).toBe(200)
    expect((await post(partner.url, bodyOf('1'), { 'webhook-id': 'dl_1' })).status).toBe(200)
    expect((await post(partner.url, bodyOf('0'), { 'webhook-id': 'dl_1' })).status).toBe(400)
  })

  test('basic authentication', async () => {
    await using partner = await startReceiver({ basic: { username: 'u', password: 'p' } })
    expect((await post(partner.url, bodyOf())).status).toBe(401)
    expect(
      (await post(partner.url, bodyOf(), { authorization: `Basic ${Buffer.from('u:p').toString('base64')}` })).status,
    ).toBe(200)
  })
})

describe('misbehaving', () => {
  test('a sequence of statuses; what is refused is not folded', async () => {
    await using partner = await startReceiver({ behaviour: { answer: [503, 200], headers: { 'retry-after': '7' } } })
    const first = await post(partner.url, bodyOf())
    expect([first.status, first.headers['retry-after']]).toEqual([503, '7'])
    expect(partner.state.entries()).toEqual([])
    expect((await post(partner.url, bodyOf())).status).toBe(200)
    expect(partner.state.entries()).toHaveLength(1)
  })

  test('a reset connection gives no answer, and the record says so', async () => {
    await using partner = await startReceiver({ behaviour: { resetRate: 1 } })
    await expect(post(partner.url, bodyOf())).rejects.toThrow()
    expect(partner.records[0]?.answer).toBe('reset')
  })

  test('the behaviour can be changed while it runs', async () => {
    await using partner = await startReceiver({ behaviour: { failRate: 1 } })
    expect((await post(partner.url, bodyOf())).status).toBe(503)
    partner.setBehaviour({})
    expect((await post(partner.url, bodyOf())).status).toBe(200)
  })

  test('closing does not wait for slow answers and leaves nothing running', async () => {
    const noLeaks = startLeakCheck()
    const partner = await startReceiver({ behaviour: { delayMs: 60_000 } })
    const answer = post(partner.url, bodyOf()).catch(() => 'cut')
    await expect.poll(() => partner.records.length).toBe(1)
    await partner.close()
    expect(await answer).toBe('cut')
    await noLeaks()
  })
})

describe('OAuth 2.0 client credentials', () => {
  test('where a key and tokens were asked for, either is enough; neither, or a wrong one, is not [OUT-64~]', async () => {
    await using partner = await startReceiver({ signing: { keys: [key] }, oauth })
    const { access_token } = readToken(
      (await post(`${partner.url}/oauth2/token`, 'grant_type=client_credentials', tokenHeaders)).body,
    )
    const token = { authorization: `Bearer ${access_token}` }
    const wrong = signed(bodyOf(), 'another key of 16')
    const given = [signed(bodyOf()), token, { ...signed(bodyOf()), ...token }, {}, wrong, { ...wrong, ...token }]
    for (const headers of [...given, { ...signed(bodyOf()), authorization: 'Bearer x' }])
      await post(partner.url, bodyOf(), headers)
    expect(partner.records.map(({ answer }) => answer)).toEqual([200, 200, 200, 401, 401, 401, 401])
    const [bySignature, byToken, , neither] = partner.records
    expect([bySignature?.signature.status, byToken?.signature.status]).toEqual(['verified', 'not_asked'])
    expect([bySignature?.complaints, byToken?.complaints]).toEqual([[], []])
    expect(neither?.complaints).toEqual([
      'Authorization is missing; tokens are issued at /oauth2/token',
      'no signature in X-Signature',
    ])
  })

  const oauth = { clientId: 'id', clientSecret: 'secret', expiresInSeconds: 60 }
  const tokenHeaders = {
    authorization: `Basic ${Buffer.from('id:secret').toString('base64')}`,
    'content-type': 'application/x-www-form-urlencoded;charset=UTF-8',
    'accept-encoding': 'gzip',
  }
  const readToken = (body: Buffer) =>
    JSON.parse(gunzipSync(body).toString()) as { access_token: string; token_type: string; expires_in: number }

  test('the documented token request gets a gzip answer whose token opens the endpoint until it expires or is revoked [OUT-78] [OUT-81]', async () => {
    let nowMs = 1_000_000
    await using partner = await startReceiver({ oauth, nowMs: () => nowMs })
    const answer = await post(`${partner.url}/oauth2/token`, 'grant_type=client_credentials', tokenHeaders)
    expect(answer).toMatchObject({ status: 200, headers: { 'content-encoding': 'gzip' } })
    const { access_token, token_type, expires_in } = readToken(answer.body)
    expect([token_type, expires_in]).toEqual(['Bearer', 60])
    const authorization = `Bearer ${access_token}`
    expect((await post(partner.url, bodyOf(), { authorization })).status).toBe(200)
    expect((await post(partner.url, bodyOf())).status).toBe(401)
    partner.tokens?.revokeAll()
    expect((await post(partner.url, bodyOf(), { authorization })).status).toBe(401)

    const second = readToken(
      (await post(`${partner.url}/oauth2/token`, 'grant_type=client_credentials', tokenHeaders)).body,
    )
    nowMs += 60_000
    expect((await post(partner.url, bodyOf(), { authorization: `Bearer ${second.access_token}` })).status).toBe(401)
    expect(partner.tokens?.issued()).toBe(2)
  })

  test('an id and a secret of any signs are known form-encoded, and raw [OUT-79]', async () => {
    await using partner = await startReceiver({ oauth: { clientId: 'a b', clientSecret: 'p@ss+wörd%' } })
    for (const [value, status] of [
      [Buffer.from('a+b:p%40ss%2Bw%C3%B6rd%25').toString('base64'), 200],
      ['YSBiOnBAc3Mrd8O2cmQl', 200],
      [Buffer.from('a%20b:p%40ss%2Bw%C3%B6rd%25').toString('base64'), 401],
    ] as const) {
      const headers = { ...tokenHeaders, authorization: `Basic ${value}` }
      const answer = await post(`${partner.url}/oauth2/token`, 'grant_type=client_credentials', headers)
      expect([value, answer.status]).toEqual([value, status])
    }
  })

  test.each([
    ['another body', 'grant_type=client_credentials&scope=x', {}, 400, 'the body is not exactly'],
    [
      'another content type',
      'grant_type=client_credentials',
      { 'content-type': 'application/x-www-form-urlencoded' },
      400,
      'Content-Type is not',
    ],
    ['no gzip', 'grant_type=client_credentials', { 'accept-encoding': 'identity' }, 400, 'Accept-Encoding is not gzip'],
    [
      'wrong credentials',
      'grant_type=client_credentials',
      { authorization: 'Basic eA==' },
      401,
      'Basic, but not of the client ID and secret agreed on',
    ],
    [
      'another scheme',
      'grant_type=client_credentials',
      { authorization: 'Bearer x' },
      401,
      'Authorization is not Basic',
    ],
  ])('%s is refused, and both sides are told why [OUT-78]', async (_name, body, headers, status, why) => {
    const records: TokenRecord[] = []
    await using partner = await startReceiver({ oauth, onToken: (record) => records.push(record) })
    const answer = await post(`${partner.url}/oauth2/token`, body, { ...tokenHeaders, ...headers })
    expect(answer.status).toBe(status)
    expect(JSON.parse(answer.body.toString())).toEqual({
      error: status === 401 ? 'invalid_client' : 'invalid_request',
      error_description: expect.stringContaining(why),
    })
    expect(answer.headers['www-authenticate']).toBe(status === 401 ? 'Basic realm="usher partner"' : undefined)
    expect(records.map(describeToken)).toEqual([
      expect.stringMatching(new RegExp(`^\\d\\d:\\d\\d:\\d\\d  NO TOKEN, answered ${status}: .*${why}`)),
    ])
    expect(JSON.stringify(records)).not.toContain('secret"')
  })

  test('a message without a good token says where one comes from, also by GET', async () => {
    const records: TokenRecord[] = []
    await using partner = await startReceiver({ oauth, onToken: (record) => records.push(record) })
    await post(partner.url, bodyOf())
    await post(partner.url, bodyOf(), { authorization: 'Bearer x' })
    await request(`${partner.url}/aam?x=y`)
    const lines = partner.records.map((record) => describeRecord(record))
    expect(lines.map((line) => line.slice(line.indexOf('answered')))).toEqual([
      'answered 401: Authorization is missing; tokens are issued at /oauth2/token',
      'answered 401: Authorization is not the token agreed on, or it has expired; tokens are issued at /oauth2/token',
      'answered 401: Authorization is missing; tokens are issued at /oauth2/token',
    ])
    await post(`${partner.url}/oauth2/token`, 'grant_type=client_credentials', tokenHeaders)
    expect(records.map(describeToken)).toEqual([expect.stringMatching(/ {2}token issued$/)])
  })
})

describe('records', () => {
  test('the journal has each request as one line before it is answered', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'usher-partner-'))
    try {
      const journalPath = join(folder, 'journal.jsonl')
      await using partner = await startReceiver({ journalPath })
      await post(partner.url, bodyOf('1'))
      await post(partner.url, 'no JSON')
      const lines = readFileSync(journalPath, 'utf8').trimEnd().split('\n')
      expect(lines.map((line) => (JSON.parse(line) as { answer: number }).answer)).toEqual([200, 400])
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  test('a line for a person says who, what happened and whether it is genuine', async () => {
    await using partner = await startReceiver({
      signing: { keys: [key] },
      nowMs: () => Date.UTC(2026, 10, 20, 14, 5, 9),
    })
    for (const status of ['1', '1', '0'] as const) await post(partner.url, bodyOf(status), signed(bodyOf(status)))
    await post(partner.url, bodyOf())
    partner.setBehaviour({ answer: [503] })
    await post(partner.url, bodyOf('0'), signed(bodyOf('0')))
    const lines = partner.records.map((record) =>
      describeRecord(record, (id) => (id === '100007' ? 'Shoe lovers' : id)),
    )
    expect(lines).toEqual([
      '14:05:09  visitor visitor-4711 joined Shoe lovers  (signature verified)',
      '14:05:09  visitor visitor-4711 is still in Shoe lovers  (signature verified)',
      '14:05:09  visitor visitor-4711 left Shoe lovers  (signature verified)',
      '14:05:09  visitor visitor-4711 should be in Shoe lovers  (SIGNATURE MISSING)  answered 401: no signature in X-Signature',
      '14:05:09  visitor visitor-4711 should be out of Shoe lovers  (signature verified)  answered 503',
    ])
  })

  test('waiting for a message finds earlier and later ones, and gives up', async () => {
    await using partner = await startReceiver()
    const later = partner.waitFor((record) => record.number === 1)
    await post(partner.url, bodyOf())
    expect((await later).number).toBe(1)
    expect((await partner.waitFor((record) => record.number === 1)).number).toBe(1)
    await expect(partner.waitFor(() => false, 10)).rejects.toThrow('1 arrived')
  })
})
