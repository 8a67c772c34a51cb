import type { App } from './app.ts'
import { Problem } from './problem.ts'

/** Refuses a body that nobody would read: what it asks for would be accepted and not done. Clients send `{}` with every POST. */
export function registerBodyGuard(app: App): void {
  app.addHook('preValidation', async ({ body, method, routeOptions }) => {
    if (routeOptions.schema?.body !== undefined || body === undefined || body === null) return
    if (typeof body === 'object' && Object.keys(body).length === 0) return
    const message = `${method} ${routeOptions.url ?? 'this address'} takes no body. Leave it out.`
    throw new Problem(400, 'unexpected_body', message)
  })
}
