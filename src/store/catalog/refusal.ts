/**
 * The catalogue refuses a change: the request is at fault and nothing was written. Thrown, not returned, because it must
 * roll its transaction back; caught by the error handler of the API alone.
 */
export class CatalogRefusal extends Error {
  readonly kind: 'not_found' | 'invalid' | 'conflict' | 'forbidden'
  /** Stable, for programs. */
  readonly code: string
  /** Member of the request that is at fault, in the words of the REST API. */
  readonly field: string | undefined
  /** Objects that stand in the way. */
  readonly ids: readonly number[]

  constructor(
    kind: CatalogRefusal['kind'],
    code: string,
    message: string,
    details: { readonly field?: string; readonly ids?: readonly number[] } = {},
  ) {
    super(message)
    this.kind = kind
    this.code = code
    this.field = details.field
    this.ids = details.ids ?? []
  }
}

export function notFound(what: string, id: number | string): CatalogRefusal {
  return new CatalogRefusal('not_found', 'not_found', `There is no ${what} ${id}.`)
}

/** A member of the request names an object that does not exist. */
export function unknownReference(field: string, what: string, id: number): CatalogRefusal {
  return new CatalogRefusal('invalid', 'invalid_request', `There is no ${what} ${id}.`, { field })
}

export function inUse(what: string, users: string, ids: readonly number[]): CatalogRefusal {
  const shown = ids.slice(0, 20).join(', ')
  const more = ids.length > 20 ? ` and ${ids.length - 20} more` : ''
  return new CatalogRefusal('conflict', 'in_use', `${what} is used by ${users} ${shown}${more}.`, { field: users, ids })
}

export function limitReached(limit: string, max: number): CatalogRefusal {
  return new CatalogRefusal('conflict', 'limit_reached', `The limit of ${max} ${limit} is reached.`, { field: limit })
}
