/** What the iOS Audience extension accepts: one wrong type and the whole answer is thrown away [CLI-31]. */
export interface StrictAnswer {
  readonly stuff: readonly unknown[]
  readonly dests?: readonly unknown[]
  readonly uuid?: string
  readonly dcs_region: number
  readonly tid: string
}

/** @throws Error naming the member that has the wrong type */
export function decodeStrictly(text: string): StrictAnswer {
  const answer = object(JSON.parse(text), 'answer')
  optional(answer, 'uuid', 'string')
  required(answer, 'tid', 'string')
  if (!Number.isInteger(answer['dcs_region'])) throw new Error('dcs_region is no integer')
  for (const item of list(answer, 'stuff')) {
    const cookie = object(item, 'stuff')
    for (const key of ['cn', 'cv', 'dmn']) required(cookie, key, 'string')
    if (!Number.isInteger(cookie['ttl'])) throw new Error('ttl is no integer')
  }
  if (answer['dests'] !== undefined) {
    for (const item of list(answer, 'dests')) {
      for (const value of Object.values(object(item, 'dests'))) {
        if (typeof value !== 'string') throw new Error('dests holds something that is no string')
      }
    }
  }
  return answer as unknown as StrictAnswer
}

function object(value: unknown, name: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(`${name} is no object`)
  return value as Record<string, unknown>
}

function list(holder: Record<string, unknown>, key: string): readonly unknown[] {
  const value = holder[key]
  if (!Array.isArray(value)) throw new Error(`${key} is no list`)
  return value
}

function required(holder: Record<string, unknown>, key: string, type: string): void {
  if (typeof holder[key] !== type) throw new Error(`${key} is no ${type}`)
}

function optional(holder: Record<string, unknown>, key: string, type: string): void {
  if (holder[key] !== undefined) required(holder, key, type)
}
