/** What a request target asks for. Source: spec/collection.md section 1, spec/operating.md section 4. */
export type RouteName =
  | 'event'
  | 'id'
  | 'sync'
  | 'optout'
  | 'optout_token'
  | 'optout_status'
  | 'withdrawal'
  | 'dest5'
  | 'tag'
  | 'healthz'
  | 'readyz'
  | 'unknown'

export interface Route {
  readonly name: RouteName
  /** Where parameters begin in the path (`/ibs:` only) and end; equal when there are none. */
  readonly pathStart: number
  readonly pathEnd: number
  /** Where the query begins, behind the `?`; the length of the target when there is none. */
  readonly queryStart: number
  /** The root path: a bare key `event` in its query is no signal [COL-08]. */
  readonly isRoot: boolean
}

const names: ReadonlyMap<string, RouteName> = new Map<string, RouteName>([
  ['/event', 'event'],
  ['/id', 'id'],
  ['/ibs', 'sync'],
  ['/demoptout.jpg', 'optout'],
  ['/demoptout', 'optout'],
  ['/demoptout/token', 'optout_token'],
  ['/demoptout/consent', 'withdrawal'],
  ['/optOutStatus', 'optout_status'],
  ['/dest5.html', 'dest5'],
  ['/tag.js', 'tag'],
  ['/healthz', 'healthz'],
  ['/readyz', 'readyz'],
])

const SYNC_PREFIX = '/ibs:'

/**
 * Reads the raw request target. Nothing is decoded or normalised: `/ibs:` carries its parameters in the path, with
 * `%2F` and `//` in them [COL-152].
 */
export function routeOf(target: string): Route {
  const question = target.indexOf('?')
  const pathEnd = question < 0 ? target.length : question
  const queryStart = question < 0 ? target.length : question + 1
  if (target.startsWith(SYNC_PREFIX)) {
    return { name: 'sync', pathStart: SYNC_PREFIX.length, pathEnd, queryStart, isRoot: false }
  }
  const isRoot = pathEnd === 1 && question === 1
  const name = isRoot ? 'event' : (names.get(target.slice(0, pathEnd)) ?? 'unknown')
  return { name, pathStart: pathEnd, pathEnd, queryStart, isRoot }
}

/** The path and query of a target in absolute form (`GET http://host/event`), which servers must accept (RFC 9112, 3.2.2). */
export function originForm(target: string): string {
  if (target.charCodeAt(0) === 0x2f) return target
  const authority = target.indexOf('://')
  if (authority < 0) return target
  const slash = target.indexOf('/', authority + 3)
  return slash < 0 ? '/' : target.slice(slash)
}
