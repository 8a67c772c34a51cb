import { expect, test } from 'vitest'
import { listenerUrl } from './listener-url.ts'

test.each([
  ['127.0.0.1', false, 'http://127.0.0.1:8081'],
  ['0.0.0.0', false, 'http://127.0.0.1:8081'],
  ['0.0.0.0', true, 'https://127.0.0.1:8081'],
  ['::', false, 'http://[::1]:8081'],
  ['0:0:0:0:0:0:0:0', false, 'http://[::1]:8081'],
  ['::1', false, 'http://[::1]:8081'],
  ['2001:db8::5', true, 'https://[2001:db8::5]:8081'],
  ['usher.example.com', true, 'https://usher.example.com:8081'],
])(
  'a listener on %s is reached from this machine at its own address, or at loopback where it is on all [OPS-14~]',
  (host, isTls, expected) => {
    expect(listenerUrl(host, 8081, isTls)).toBe(expected)
  },
)
