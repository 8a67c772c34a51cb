import { randomBytes } from 'node:crypto'

/** Names a request in its answer and in the log. */
export function newRequestId(): string {
  return `rq_${randomBytes(9).toString('base64url')}`
}
