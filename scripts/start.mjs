// `npm start`: set-up, then the server with generated visitors and a receiving partner [OPS-1], [OPS-2].
import { join } from 'node:path'
import { root, setUp } from './setup.mjs'

setUp()
process.argv.splice(2, 0, 'demo')
await import(`file://${join(root, 'dist', 'cli', 'main.js')}`)
