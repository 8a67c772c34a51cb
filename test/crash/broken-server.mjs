// A server that is broken on purpose: one commit in fifty is acknowledged and thrown away.
import { loadConfig } from '../../dist/config.js'
import { startUsher } from '../../dist/main.js'

let commits = 0
const config = loadConfig({ options: {} })
const usher = await startUsher(config, {
  wrapRecords: (records) =>
    new Proxy(records, {
      get(target, name) {
        const method = target[name]
        if (typeof method !== 'function') return method
        if (name !== 'commit') return method.bind(target)
        return (commit, durability) => {
          commits += 1
          return commits % 50 === 0 ? Promise.resolve(true) : target.commit(commit, durability)
        }
      },
    }),
})
console.log(JSON.stringify({ ...usher.ready, msg: 'ready' }))
