import { Agent, request } from 'node:http'

/** What one visitor did, as the load generator itself saw it. */
export interface Journal {
  /** Acknowledged events by value of `c_do`. */
  readonly acknowledged: Map<string, number>
  /** Sent, but the answer never came: applied once or not at all. */
  readonly unknown: Map<string, number>
}

export interface Load {
  readonly journals: readonly Journal[]
  readonly acknowledged: number
  /** Answers that were no acknowledgement [SEC-11]. */
  readonly refused: number
  stop(): Promise<void>
}

export interface LoadOptions {
  readonly edgePort: number
  readonly visitors: number
  readonly actions: readonly string[]
  readonly partnerDataSourceId: number
  readonly random: () => number
}

export function deviceIdOf(visitor: number): string {
  return String(7_000_000 + visitor).padStart(38, '3')
}

export function partnerIdOf(visitor: number): string {
  return `p-${visitor}`
}

/** Each visitor sends one event after another; a visitor whose answer is lost goes on with its next event. */
export function startLoad(options: LoadOptions): Load {
  const agent = new Agent({ keepAlive: true, maxSockets: options.visitors })
  const counts = { acknowledged: 0, refused: 0 }
  let stopped = false
  const journals = Array.from(
    { length: options.visitors },
    (): Journal => ({ acknowledged: new Map(), unknown: new Map() }),
  )
  const add = (map: Map<string, number>, action: string) => map.set(action, (map.get(action) ?? 0) + 1)

  const visit = async (visitor: number) => {
    const journal = journals[visitor] as Journal
    while (!stopped) {
      const action = options.actions[Math.floor(options.random() * options.actions.length)] as string
      const path = `/event?d_rtbd=json&d_uuid=${deviceIdOf(visitor)}&d_cid=${options.partnerDataSourceId}%01${partnerIdOf(visitor)}&c_do=${action}`
      const answer = await get(agent, options.edgePort, path)
      if (answer === 'not_sent') await new Promise((resolve) => setTimeout(resolve, 20))
      else if (answer === 'unknown') add(journal.unknown, action)
      else if (isAcknowledgement(answer)) {
        add(journal.acknowledged, action)
        counts.acknowledged += 1
      } else {
        // Refused: the documentation says nothing was stored, yet the outcome may also be unknown to the server.
        add(journal.unknown, action)
        counts.refused += 1
      }
    }
  }
  const running = journals.map((_, visitor) => visit(visitor))
  return {
    journals,
    get acknowledged() {
      return counts.acknowledged
    },
    get refused() {
      return counts.refused
    },
    async stop() {
      stopped = true
      await Promise.all(running)
      agent.destroy()
    },
  }
}

function isAcknowledgement(body: string): boolean {
  const answer = JSON.parse(body) as { readonly uuid?: string; readonly errors?: readonly { readonly code: number }[] }
  return answer.uuid !== undefined && !(answer.errors ?? []).some((error) => error.code === 0 || error.code === 900)
}

/** @returns the body, or why there is none: the connection was refused, or it broke after the request had left */
function get(agent: Agent, port: number, path: string): Promise<string | 'not_sent' | 'unknown'> {
  return new Promise((resolve) => {
    const call = request({ agent, host: '127.0.0.1', port, path, timeout: 10_000 }, (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        body += chunk
      })
      response.on('end', () => resolve(response.statusCode === 200 && response.complete ? body : 'unknown'))
      response.on('error', () => resolve('unknown'))
      response.on('close', () => resolve('unknown'))
    })
    call.on('timeout', () => call.destroy())
    call.on('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED' ? 'not_sent' : 'unknown'))
    call.end()
  })
}
