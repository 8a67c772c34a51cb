// A server that is broken on purpose: one commit in two hundred is acknowledged and thrown away.
import { loadConfig } from '../../dist/config.js'
import { startUsher } from '../../dist/main.js'

let commits = 0
await startUsher(loadConfig({ options: {}, env: process.env }), {
  wrapRecords: (records) => ({
    ...records,
    commit: (commit, durability) => {
      commits += 1
      return commits % 200 === 0 ? Promise.resolve(true) : records.commit(commit, durability)
    },
  }),
})
