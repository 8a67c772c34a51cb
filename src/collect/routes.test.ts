import { expect, test } from 'vitest'
import { originForm, routeOf } from './routes.ts'

test.each([
  ['/event?a=b', 'event'],
  ['/event', 'event'],
  ['/?d_src=1', 'event'],
  ['/?', 'event'],
  ['/id?a', 'id'],
  ['/ibs:dpid=1', 'sync'],
  ['/ibs:', 'sync'],
  ['/ibs?dpid=1', 'sync'],
  ['/demoptout.jpg', 'optout'],
  ['/demoptout?a', 'optout'],
  ['/demoptout/token?rd=x', 'optout_token'],
  ['/optOutStatus', 'optout_status'],
  ['/dest5.html?d_nsid=0', 'dest5'],
  ['/tag.js', 'tag'],
  ['/healthz', 'healthz'],
  ['/readyz', 'readyz'],
  ['/', 'unknown'],
  ['/event/', 'unknown'],
  ['/EVENT', 'unknown'],
  ['//event', 'unknown'],
  ['/ibs/x', 'unknown'],
  ['/%65vent', 'unknown'],
])('%s is the route %s [COL-08] [COL-152]', (target, name) => {
  expect(routeOf(target).name).toBe(name)
})

test('parameters of a sync lie in the path, and behind a question mark too [COL-152] [COL-153]', () => {
  const target = '/ibs:dpid=1&redir=http%3A%2F%2Fa//b?x=1?y'
  const { pathStart, pathEnd, queryStart } = routeOf(target)
  expect([target.slice(pathStart, pathEnd), target.slice(queryStart)]).toEqual([
    'dpid=1&redir=http%3A%2F%2Fa//b',
    'x=1?y',
  ])
})

test('the absolute form is cut to path and query', () => {
  expect(originForm('http://a.example/event?b=c://d')).toBe('/event?b=c://d')
  expect(originForm('http://a.example')).toBe('/')
  expect(originForm('/event')).toBe('/event')
})
