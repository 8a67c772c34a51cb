import { run } from './program.ts'

// `serve`, `demo` and `partner` go on after this; the status counts once nothing is left to do, or at the signal.
process.exitCode = await run(process.argv.slice(2))
