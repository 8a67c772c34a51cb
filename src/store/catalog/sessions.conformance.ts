import { expect } from 'vitest'
import { factsOf, type MakePlace, NOW_MS } from './catalog-place.conformance.ts'

const HOUR_MS = 3_600_000

const session = (hash: string, usedAtMs: number, expiresAtMs: number) => ({
  hash,
  createdAtMs: NOW_MS,
  expiresAtMs,
  usedAtMs,
})

/** Sign-ins as they are kept: links are used up, sessions end. */
export function describeSessions(name: string, makePlace: MakePlace): void {
  const fact = factsOf(name, makePlace)

  fact(
    'a link opens one session, in time, and not one that was made while the clock was ahead [OPS-22] [SEC-65~]',
    async ({ open }) => {
      const { sessions } = await open()
      for (const [hash, leftMs] of [
        ['good', 1],
        ['late', 0],
        ['ahead', HOUR_MS + 1],
        ['whole', HOUR_MS],
      ] as const)
        await sessions.addLink(hash, NOW_MS + leftMs)
      const take = (hash: string) => sessions.takeLink(hash, NOW_MS, HOUR_MS)
      expect([await take('good'), await take('late'), await take('ahead'), await take('whole')]).toEqual([
        true,
        false,
        false,
        true,
      ])
      expect([await take('good'), await take('unknown')]).toEqual([false, false])
    },
  )

  fact(
    'whether anybody is signed in is known; sessions go when they have ended or were not used [SEC-66~]',
    async ({ open }) => {
      const { sessions } = await open()
      expect(await sessions.any()).toBe(false)
      await sessions.add(session('used', NOW_MS, NOW_MS + 1))
      await sessions.add(session('idle', NOW_MS - HOUR_MS, NOW_MS + 1))
      await sessions.add(session('ended', NOW_MS, NOW_MS))
      expect(await sessions.any()).toBe(true)
      await sessions.forgetEnded(NOW_MS - HOUR_MS, NOW_MS)
      const left = async () =>
        Promise.all(['used', 'idle', 'ended'].map(async (hash) => (await sessions.find(hash)) !== undefined))
      expect([await sessions.any(), await left()]).toEqual([true, [true, false, false]])
      await sessions.touch('used', NOW_MS + 5)
      expect(await sessions.find('used')).toEqual(session('used', NOW_MS + 5, NOW_MS + 1))
      await sessions.remove('used')
      expect([await sessions.any(), await left()]).toEqual([false, [false, false, false]])
    },
  )
}
