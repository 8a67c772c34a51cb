import { expect, test } from 'vitest'
import { exposureWarning } from './exposure.ts'

const plain = { cert: undefined, key: undefined, endedInFront: false }

test.each(['0.0.0.0', '::', '192.168.1.5', '2001:db8::5', 'usher.example.com'])(
  'plain HTTP on %s is warned of, with what to set [SEC-92~]',
  (host) => {
    const warning = exposureWarning({ host, tls: plain })
    expect(warning).toContain(host)
    expect(warning).toContain('USHER_TLS_ENDED_IN_FRONT')
  },
)

test.each(['127.0.0.1', '127.8.8.8', '::1', 'localhost'])('on %s nobody else listens: no warning [SEC-92~]', (host) => {
  expect(exposureWarning({ host, tls: plain })).toBeUndefined()
})

test('a certificate, or TLS ended in front, silences it [SEC-92~]', () => {
  const host = '0.0.0.0'
  expect(exposureWarning({ host, tls: { cert: '/c.pem', key: '/k.pem', endedInFront: false } })).toBeUndefined()
  expect(exposureWarning({ host, tls: { ...plain, endedInFront: true } })).toBeUndefined()
})
