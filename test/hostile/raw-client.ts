import { connect, type Socket } from 'node:net'

/** What came back: a status, or `closed` when the server ended the connection without one. */
export type RawAnswer =
  | { readonly status: number; readonly head: string; readonly body: string }
  | { readonly status: 'closed' | 'timeout' }

/** One connection that sends raw bytes and reads one answer at a time; opened again after the server closed it. */
export class RawClient {
  readonly #port: number
  #socket: Socket | undefined

  constructor(port: number) {
    this.#port = port
  }

  async exchange(bytes: Buffer, isHead: boolean): Promise<RawAnswer> {
    const socket = await this.#open()
    return new Promise((resolve) => {
      let text = ''
      const finish = (answer: RawAnswer) => {
        clearTimeout(timer)
        socket.removeAllListeners('data').removeAllListeners('close').removeAllListeners('error')
        socket.on('error', () => {})
        const mustClose =
          answer.status === 'closed' ||
          answer.status === 'timeout' ||
          ('head' in answer && /\r\nconnection: close/i.test(answer.head))
        // What follows on the connection after a broken request is anybody's guess, so a new one is opened.
        if (mustClose || (typeof answer.status === 'number' && answer.status >= 400)) this.close()
        resolve(answer)
      }
      const timer = setTimeout(() => finish({ status: 'timeout' }), 5_000)
      socket.on('data', (chunk: Buffer) => {
        text += chunk.toString('latin1')
        for (;;) {
          const end = text.indexOf('\r\n\r\n')
          if (end < 0) return
          const head = text.slice(0, end)
          const status = Number(head.slice(9, 12))
          if (status < 200) {
            text = text.slice(end + 4)
            continue
          }
          const length = Number(/\r\ncontent-length: *([0-9]+)/i.exec(head)?.[1] ?? 0)
          const body = text.slice(end + 4)
          if (isHead || body.length >= length) finish({ status, head, body })
          return
        }
      })
      socket.on('close', () => finish({ status: 'closed' }))
      socket.on('error', () => finish({ status: 'closed' }))
      socket.write(bytes)
    })
  }

  close(): void {
    this.#socket?.destroy()
    this.#socket = undefined
  }

  async #open(): Promise<Socket> {
    if (this.#socket !== undefined && !this.#socket.destroyed && this.#socket.writable) return this.#socket
    const socket = connect({ port: this.#port, host: '127.0.0.1' })
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject))
    this.#socket = socket
    return socket
  }
}
