import { Readable } from 'node:stream'
import { jsonInSlices } from '../lib/json-slices.ts'
import { runInSlices } from '../lib/slices.ts'
import type { App } from './app.ts'

/** Makes the text of every JSON answer in slices; a long one is sent in pieces. */
export function registerJsonAnswers(app: App): void {
  // The views are built member by member and checked by the compiler; checking each answer again would cost more than making it.
  app.setSerializerCompiler(() => JSON.stringify)
  app.addHook('preSerialization', async (_request, reply, payload) => {
    const pieces = await runInSlices(jsonInSlices(payload))
    // The framework takes whatever can be sent.
    const send = () => (pieces.length === 1 ? pieces[0] : Readable.from(pieces)) as string
    reply.serializer(send)
    return payload
  })
}
