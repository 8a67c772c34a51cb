import { expect, test } from 'vitest'
import { strictComplaints } from './strict-decoder.mjs'

const good = {
  uuid: '22920112968019678612904394744954398990',
  dcs_region: 7,
  tid: '31ZpxW5bQGc=',
  stuff: [{ cn: 'aud', cv: 'a%3D1', ttl: 30, dmn: '.example.com' }],
  dests: [{ id: '1', y: 'img', c: 'https://example.com' }],
}

test('an answer of the right types is decoded [CLI-31]', () => {
  expect(strictComplaints(JSON.stringify(good))).toEqual([])
  expect(strictComplaints(JSON.stringify({ uuid: good.uuid, dcs_region: 7, tid: good.tid, stuff: [] }))).toEqual([])
})

test.each([
  ['a region as text', { dcs_region: '7' }],
  ['a region with a fraction', { dcs_region: 7.5 }],
  ['a number as uuid', { uuid: 22920112968019 }],
  ['no tid', { tid: undefined }],
  ['a ttl as text', { stuff: [{ ...good.stuff[0], ttl: '30' }] }],
  ['a destination with a number', { dests: [{ ...good.dests[0], id: 1 }] }],
  ['a destination with hr as boolean', { dests: [{ ...good.dests[0], hr: true }] }],
  ['stuff that is no array', { stuff: {} }],
])('%s discards the answer [CLI-31]', (_name, change) => {
  expect(strictComplaints(JSON.stringify({ ...good, ...change }))).toHaveLength(1)
})

test('what is no JSON discards the answer', () => {
  expect(strictComplaints('GIF89a')).toEqual(['the answer is not JSON'])
})
