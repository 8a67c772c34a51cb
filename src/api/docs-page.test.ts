import { createHash } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestAdmin, type TestAdmin, type TestAnswer } from '../testkit/start-test-admin.ts'
import { renderDocs } from './docs-page.ts'

let server: TestAdmin
let page: TestAnswer
beforeAll(async () => {
  server = await startTestAdmin()
  page = await server.call('GET', '/docs', undefined, { authorization: '' })
})
afterAll(() => server[Symbol.asyncDispose]())

test('/docs is open as /openapi.json is, and shows every operation with its words [OPS-11~] [OPS-40]', async () => {
  expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
  const { paths } = (await server.call('GET', '/openapi.json', undefined, { authorization: '' })).body
  for (const [path, methods] of Object.entries<Record<string, { summary: string }>>(paths)) {
    for (const [method, { summary }] of Object.entries(methods)) {
      expect(page.text).toContain(`<code>${method.toUpperCase()} ${path}</code>`)
      expect(page.text).toContain(`<strong>${summary}.</strong>`)
    }
  }
  // Parameters, bodies and answers, down to members of members.
  for (const text of [
    'includeThirdParty',
    'traitAlias',
    'breaker',
    '<code>half_open</code>',
    'lastSuccess',
    'elementName',
  ])
    expect(page.text).toContain(text)
  expect((await server.call('GET', '/docs/', undefined, { authorization: '' })).status).toBe(200)
})

test('the page runs no code, and its only style is the one that the policy names by its hash [SEC-21]', () => {
  const policy = page.headers.get('content-security-policy') ?? ''
  expect(page.text).not.toMatch(/<script|javascript:|\son\w+=|\sstyle=/i)
  const styles = [...page.text.matchAll(/<style>([\s\S]*?)<\/style>/g)].map(([, text = '']) => text)
  expect(styles).toHaveLength(1)
  const hash = createHash('sha256')
    .update(styles[0] ?? '')
    .digest('base64')
  expect(policy).toBe(
    `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  )
  expect(policy).not.toContain('unsafe')
})

test('every heading that is linked is there, once', () => {
  const ids = [...page.text.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id)
  expect(new Set(ids).size).toBe(ids.length)
  for (const [, target] of page.text.matchAll(/href="#([^"]+)"/g)) expect(ids).toContain(target)
})

test('texts of the document are text, not markup [SEC-71]', () => {
  const html = renderDocs({
    info: { version: '<1>' },
    paths: { '/x"<y>': { get: { summary: '<b>`a<b>`', description: 'it\'s & "so"', tags: ['<i>'] } } },
  })
  expect(html).not.toMatch(/<b>|<i>|<y>|<1>/)
  expect(html).toContain('<code>a&#60;b&#62;</code>')
})
