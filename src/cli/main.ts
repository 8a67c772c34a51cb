import { run } from './program.ts'

const status = await run(process.argv.slice(2))
// `serve`, `demo` and `partner` go on after this until a signal. A start that failed half-way must not: what it had
// opened would keep the process alive.
if (status !== 0) process.exit(status)
