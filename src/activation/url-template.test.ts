import { expect, test } from 'vitest'
import { parseUrlTemplate, renderUrlTemplate, type UrlValues } from './url-template.ts'

const values: UrlValues = {
  DP_UUID: 'a|b/c?d&e=ü',
  UUID: '07955',
  ORDER_ID: '215',
  DPID: '888',
  SEGMENT_LIST: ['103714', 'go,ld'],
  REMOVED_SEGMENT_LIST: [],
}
function render(text: string): string {
  const parsed = parseUrlTemplate(text)
  return parsed.ok ? renderUrlTemplate(parsed.template, values) : parsed.message
}

test('values are percent-encoded, separators of the template are not [OUT-209]', () => {
  expect(
    render('/from-aam-s2s?uuid=<DP_UUID>&sids=<SEGMENT_LIST;separator=",">&off=<REMOVED_SEGMENT_LIST;separator=",">'),
  ).toBe('/from-aam-s2s?uuid=a%7Cb%2Fc%3Fd%26e%3D%C3%BC&sids=103714,go%2Cld&off=')
  expect(render('/<ORDER_ID>/<DPID>/<UUID>/<SEGMENT_LIST ; separator = "|">/<SEGMENT_LIST>')).toBe(
    '/215/888/07955/103714|go%2Cld/103714go%2Cld',
  )
})

test.each([
  ['in?x=1', 'column 1: a URL template begins with /'],
  ['/a b', 'column 3: this character must be percent-encoded'],
  ['/a#b', 'column 3: this character must be percent-encoded'],
  ['/a\\b', 'column 3: this character must be percent-encoded'],
  ['/x<DP_UUID', 'column 3: a macro is <NAME> or <NAME;separator=",">'],
  [
    '/x<MCID>',
    'column 3: <MCID> is not known here; known are DP_UUID, UUID, ORDER_ID, DPID, SEGMENT_LIST, REMOVED_SEGMENT_LIST',
  ],
  ['/x<DP_UUID;separator=",">', 'column 3: <DP_UUID> is not a list and takes no separator'],
  ['/x<SEGMENT_LIST;separator=" ">', 'column 3: the separator must be percent-encoded'],
])('%s is refused with its column [OUT-209]', (text, message) => {
  expect(render(text)).toBe(message)
})
