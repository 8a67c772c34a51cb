// Starts bench/load/receiver.mjs and talks to it.
import { fork } from 'node:child_process'
import { join } from 'node:path'

/** @param ports one partner each @returns `tell(port, { behaviour, isCounting })`, which resolves with its figures, and `stop()` */
export async function startPartners(ports) {
  const child = fork(join(import.meta.dirname, 'receiver.mjs'), ports.map(String), { execArgv: [] })
  const asked = new Map()
  await new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the partners ended with ${code}: is one of ${ports} taken?`)))
    child.on('message', (message) => {
      if (message.isReady) return resolve()
      asked.get(message.id)?.(message)
      asked.delete(message.id)
    })
  })
  let lastId = 0
  return {
    tell(port, change = {}) {
      const id = ++lastId
      return new Promise((resolve) => {
        asked.set(id, resolve)
        child.send({ id, port, ...change })
      })
    },
    async stop() {
      child.removeAllListeners('exit')
      const gone = new Promise((resolve) => child.once('exit', resolve))
      child.disconnect()
      await gone
    },
  }
}
