import type { ProblemBody } from '../../../src/contract.ts'

/** What the server refused, or that it could not be reached (`status` 0). */
export class ApiProblem extends Error {
  readonly status: number
  readonly code: string
  readonly requestId: string | undefined
  readonly details: ProblemBody['details']

  constructor(status: number, body: Partial<ProblemBody>) {
    super(body.message ?? '')
    this.status = status
    this.code = body.code ?? (status === 0 ? 'unreachable' : `http_${status}`)
    this.requestId = body.requestId
    this.details = body.details ?? []
  }
}

/** @throws ApiProblem */
export function get<Answer>(path: string, query: Readonly<Record<string, unknown>> = {}): Promise<Answer> {
  const words = Object.entries(query).filter(([, value]) => value !== undefined && value !== '')
  const search = new URLSearchParams(words.map(([name, value]) => [name, String(value)])).toString()
  return call<Answer>(search === '' ? path : `${path}?${search}`, {})
}

/** @throws ApiProblem */
export const post = <Answer>(path: string, body: unknown) => send<Answer>('POST', path, body)

/** @throws ApiProblem */
export const put = <Answer>(path: string, body: unknown) => send<Answer>('PUT', path, body)

/** The header shows the server that our own page asks, not a form on a foreign one. */
function send<Answer>(method: string, path: string, body: unknown): Promise<Answer> {
  return call<Answer>(path, {
    method,
    headers: { 'content-type': 'application/json', 'x-usher-csrf': '1' },
    body: JSON.stringify(body),
  })
}

/** @throws ApiProblem */
export function remove(path: string): Promise<void> {
  return call<void>(path, { method: 'DELETE', headers: { 'x-usher-csrf': '1' } })
}

async function call<Answer>(path: string, init: RequestInit): Promise<Answer> {
  const response = await fetch(path, { credentials: 'same-origin', ...init }).catch(() => undefined)
  if (response === undefined) throw new ApiProblem(0, {})
  const text = await response.text()
  if (!response.ok) throw new ApiProblem(response.status, problemOf(text))
  return (text === '' ? undefined : JSON.parse(text)) as Answer
}

function problemOf(text: string): Partial<ProblemBody> {
  try {
    return JSON.parse(text) as ProblemBody
  } catch {
    return {}
  }
}
