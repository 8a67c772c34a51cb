import { expect, test } from 'vitest'
import { splitElements, unquoted, valueIn } from './forwarded.ts'

test.each([
  ['for=1.1.1.1, for=2.2.2.2', ['for=1.1.1.1', ' for=2.2.2.2']],
  ['for="a,b", for=c', ['for="a,b"', ' for=c']],
  // What a client left open reaches no further than its own words.
  ['for="left open, for=1.1.1.1;by="x,y", for=2.2.2.2', ['for="left open', ' for=1.1.1.1;by="x,y"', ' for=2.2.2.2']],
  [String.raw`a="x\",y",b`, [String.raw`a="x\",y"`, 'b']],
  [String.raw`a="x\\",b`, [String.raw`a="x\\"`, 'b']],
  ['', ['']],
])('%s is %j [SEC-09~]', (text, elements) => {
  expect(splitElements(text)).toEqual(elements)
})

test.each([
  ['for=1.1.1.1;proto=https', 'proto', 'https'],
  [' For = "[2001:db8::1]:4711" ; Proto=HTTPS ', 'for', '[2001:db8::1]:4711'],
  ['for=1.1.1.1', 'proto', undefined],
  ['proto=https;proto=http', 'proto', undefined],
  ['proto=https and more', 'proto', undefined],
  [String.raw`for="a\"b"`, 'for', 'a"b'],
  ['for=;proto=http', 'for', ''],
])('in %s the value of %s is %s [SEC-09~]', (element, name, value) => {
  expect(valueIn(element, name)).toBe(value)
})

test.each([
  [' 1.1.1.1 ', '1.1.1.1'],
  ['" 1.1.1.1 "', '1.1.1.1'],
  ['"open', '"open'],
  ['open"', 'open"'],
  ['"', '"'],
  ['""', ''],
  [String.raw`"a\"b\\c"`, String.raw`a"b\c`],
])('%s without quotes is %s', (text, value) => {
  expect(unquoted(text)).toBe(value)
})
