/** The one line that scripts wait for [OPS-12]; printed whatever the log level is. */
export function printReady(ready: object): void {
  process.stdout.write(`${JSON.stringify({ level: 'info', time: new Date().toISOString(), ...ready, msg: 'ready' })}\n`)
}
