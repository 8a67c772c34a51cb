import { createHash, randomBytes } from 'node:crypto'
import type { SetupLink } from '../contract.ts'
import type { Clock } from '../model/clock.ts'
import { isoTime } from '../model/time.ts'
import type { SessionRepository, StoredSession } from '../store/catalog/sessions.ts'

/** One-time set-up links and the sessions they open. Source: operating.md [OPS-22], security.md [SEC-66]. */
export interface SessionKeeper {
  newLink(): Promise<SetupLink>
  /** Uses a link up. @returns the secret of a new session; undefined when the link is unknown, used or too old */
  open(setupToken: string): Promise<string | undefined>
  /** @returns undefined when the session has ended, by age, by rest or by its owner */
  find(secret: string): Promise<{ readonly expiresAtMs: number } | undefined>
  /** As `find`, but looking is no use: an open live stream does not keep a session from resting. */
  isOpen(secret: string): Promise<boolean>
  close(secret: string): Promise<void>
  /** Is anybody signed in? */
  any(): Promise<boolean>
}

export const LINK_MS = 3_600_000
export const SESSION_MS = 12 * 3_600_000
/** A session that nobody used for this long has ended [SEC-66]. */
export const IDLE_MS = 30 * 60_000
/** Use is written down this often at most. */
const TOUCH_EVERY_MS = 60_000
const SECRET_BYTES = 32

export function createSessionKeeper(sessions: SessionRepository, now: Clock): SessionKeeper {
  // One that was used in the future was used while the clock was ahead: it must not last until then.
  const isOver = (session: StoredSession, nowMs: number) =>
    session.expiresAtMs <= nowMs || session.usedAtMs + IDLE_MS <= nowMs || session.usedAtMs > nowMs + IDLE_MS
  return {
    async newLink() {
      await sessions.forgetEnded(now() - IDLE_MS, now())
      const setupToken = randomSecret()
      const expiresAtMs = now() + LINK_MS
      await sessions.addLink(hashOf(setupToken), expiresAtMs)
      return { setupToken, expiresAt: isoTime(expiresAtMs) }
    },

    async open(setupToken) {
      const nowMs = now()
      if (!(await sessions.takeLink(hashOf(setupToken), nowMs, LINK_MS + IDLE_MS))) return undefined
      const secret = randomSecret()
      await sessions.add({
        hash: hashOf(secret),
        createdAtMs: nowMs,
        expiresAtMs: nowMs + SESSION_MS,
        usedAtMs: nowMs,
      })
      return secret
    },

    async find(secret) {
      const hash = hashOf(secret)
      const nowMs = now()
      const session = await sessions.find(hash)
      if (session === undefined) return undefined
      if (isOver(session, nowMs)) {
        await sessions.remove(hash)
        return undefined
      }
      if (session.usedAtMs + TOUCH_EVERY_MS <= nowMs) await sessions.touch(hash, nowMs)
      return { expiresAtMs: session.expiresAtMs }
    },

    async isOpen(secret) {
      const session = await sessions.find(hashOf(secret))
      return session !== undefined && !isOver(session, now())
    },

    close: (secret) => sessions.remove(hashOf(secret)),
    async any() {
      await sessions.forgetEnded(now() - IDLE_MS, now())
      return sessions.any()
    },
  }
}

function randomSecret(): string {
  return randomBytes(SECRET_BYTES).toString('base64url')
}

/** The secrets are random and long, so a plain hash is enough, and looking one up by it tells a guesser nothing. */
function hashOf(secret: string): string {
  return createHash('sha256').update(secret, 'utf8').digest('base64url')
}
