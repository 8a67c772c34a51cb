import type { ProblemBody } from '../contract.ts'

/** What a route refuses; the error handler turns it into an answer [API-34]. */
export class Problem extends Error {
  readonly status: number
  /** Stable, for programs. */
  readonly code: string
  readonly details: ProblemBody['details']

  constructor(status: number, code: string, message: string, details: ProblemBody['details'] = []) {
    super(message)
    this.status = status
    this.code = code
    this.details = details
  }
}

/** A request that names what is wrong with one of its members. */
export function invalidField(field: string, message: string): Problem {
  return new Problem(400, 'invalid_request', 'The request is not valid.', [{ field, message }])
}

/** @param position offset of the offending character, from 0 */
export function invalidRule(field: string, refusal: { readonly message: string; readonly position: number }): Problem {
  return new Problem(400, 'invalid_rule', refusal.message, [
    { field, position: refusal.position, message: refusal.message },
  ])
}

export function noDelivery(): Problem {
  return new Problem(503, 'no_delivery', 'This process does not deliver; ask one with the role delivery.')
}

export function noSuch(what: string, id: string | number): Problem {
  return new Problem(404, 'not_found', `There is no ${what} ${id}.`)
}
