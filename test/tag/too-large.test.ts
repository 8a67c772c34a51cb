import { createServer } from 'node:http'
import { expect, test } from 'vitest'
import { startTestEdge } from '../../src/collect/test-edge.conformance.ts'
import { freePort } from '../../src/testkit/free-port.ts'
import { newVisit } from '../clients/browser.mjs'
import { canRun } from './tag-page.ts'

test.skipIf(!canRun)('a page sees the 413 for what is beyond 1 MiB, whatever it sent [COL-15] [COL-10~]', async () => {
  await using edge = await startTestEdge()
  const port = await freePort()
  const site = createServer((_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<p>page'))
  await new Promise<void>((resolve) => site.listen(port, '127.0.0.1', resolve))
  const visit = await newVisit({})
  try {
    await visit.page.goto(`http://127.0.0.1:${port}/`)
    for (const bytes of [1_048_577, 2_000_000, 20_000_000]) {
      const status = await visit.page.evaluate(`fetch('http://127.0.0.1:${edge.port}/event', {
        method: 'POST', credentials: 'include', body: 'a='.padEnd(${bytes}, 'x'),
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      }).then(function (answer) { return answer.status }, String)`)
      expect(status, `${bytes} bytes`).toBe(413)
    }
  } finally {
    await visit.close()
    site.closeAllConnections()
    await new Promise((resolve) => site.close(resolve))
  }
})
