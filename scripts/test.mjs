// `npm test [-- PATH ...]`: set-up, then every test, or those of one room [OPS-1], [OPS-3].
import { runTool, setUp } from './setup.mjs'

setUp()
runTool('vitest/vitest.mjs', ['run', ...process.argv.slice(2)])
