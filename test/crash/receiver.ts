import { createHmac, timingSafeEqual } from 'node:crypto'
import { createServer, type Server } from 'node:http'

/** The partner's own journal: every body in order of arrival, its signature checked, and the fold of them all. */
export interface CrashReceiver {
  readonly url: string
  /** `<partner id>|<segment>` → last Status. */
  readonly state: ReadonlyMap<string, string>
  readonly received: number
  readonly badSignatures: number
  /** Bodies by delivery key, for the check that repeats are byte-identical. */
  readonly repeats: { readonly total: number; readonly different: number }
  close(): Promise<void>
}

interface Message {
  readonly Users: readonly {
    readonly DataPartner_UUID: string
    readonly Segments: readonly { readonly Segment_ID: string; readonly Status: string }[]
  }[]
}

export async function startCrashReceiver(port: number, key: string): Promise<CrashReceiver> {
  const state = new Map<string, string>()
  const bodies = new Map<string, string>()
  const counts = { received: 0, badSignatures: 0, total: 0, different: 0 }
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks)
      counts.received += 1
      const signature = Buffer.from(String(request.headers['x-signature'] ?? ''))
      const expected = Buffer.from(createHmac('sha256', key).update(body).digest('base64'))
      if (signature.length !== expected.length || !timingSafeEqual(signature, expected)) counts.badSignatures += 1
      const id = String(request.headers['webhook-id'] ?? '')
      const known = bodies.get(id)
      if (id !== '' && known !== undefined) {
        counts.total += 1
        if (known !== body.toString('utf8')) counts.different += 1
      }
      bodies.set(id, body.toString('utf8'))
      for (const user of (JSON.parse(body.toString('utf8')) as Message).Users) {
        for (const segment of user.Segments) state.set(`${user.DataPartner_UUID}|${segment.Segment_ID}`, segment.Status)
      }
      // Some answers get lost on the way, so that messages are repeated.
      if (counts.received % 50 === 0) request.socket.destroy()
      else response.writeHead(200).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${port}/aam`,
    state,
    get received() {
      return counts.received
    },
    get badSignatures() {
      return counts.badSignatures
    },
    get repeats() {
      return { total: counts.total, different: counts.different }
    },
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
