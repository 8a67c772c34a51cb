import { createServer, type RequestListener, type Server } from 'node:http'
import { afterEach, expect, test } from 'vitest'
import { openEgress } from '../lib/egress/egress.ts'
import { freePort } from '../testkit/free-port.ts'
import { parseS2sConfig, type S2sConfig } from '../testkit/s2s-settings.ts'
import { openTokenSource } from './oauth.ts'
import { DESTINATION, NOW } from './workbench.conformance.ts'

interface OidcProvider {
  callback(): RequestListener
  readonly ClientCredentials: { find(token: string): Promise<{ readonly clientId: string } | undefined> }
}
const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup()
})

function configOf(tokenUrl: string, auth: Readonly<Record<string, unknown>>): S2sConfig {
  const input = { url: 'https://partner.example/in', userDpid: 1, auth: { type: 'oauth2', tokenUrl, ...auth } }
  const parsed = parseS2sConfig(input, { allowPrivate: true })
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues))
  return parsed.config
}

function sourceOf() {
  const egress = openEgress({ allowPrivate: true, ownListeners: [] })
  cleanups.push(() => egress.close())
  return openTokenSource({ egress, clock: () => NOW, userAgent: 'Usher/test' })
}

test('a certified provider knows an id and a secret of any signs, and refuses wrong ones [OUT-78] [OUT-79] [SEC-55]', async () => {
  const port = await freePort()
  // The package brings no types.
  const { default: Provider } = (await import('oidc-provider' as string)) as {
    default: new (issuer: string, options: object) => OidcProvider
  }
  const client = (client_id: string, client_secret: string) => ({
    client_id,
    client_secret,
    grant_types: ['client_credentials'],
    redirect_uris: [],
    response_types: [],
  })
  const provider = new Provider(`http://127.0.0.1:${port}`, {
    clients: [
      client('usher', 'a secret / with + signs'),
      client('tenant:usher+1@example.org', '100% p&s=:"\'~ *'),
      client('plain', 'only-letters'),
    ],
    features: {
      clientCredentials: { enabled: true },
      introspection: { enabled: true },
      devInteractions: { enabled: false },
    },
  })
  const server: Server = createServer(provider.callback())
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  cleanups.push(() => {
    server.closeAllConnections()
    server.close()
  })
  const tokenUrl = `http://127.0.0.1:${port}/token`
  // RFC 6749 2.3.1 wants both halves form-encoded; a partner that does gives the ready value.
  const credentials = Buffer.from(
    `usher:${encodeURIComponent('a secret / with + signs').replaceAll('%20', '+')}`,
  ).toString('base64')
  const answer = await sourceOf().get(DESTINATION, configOf(tokenUrl, { credentials }))
  expect(answer.status).toBe('ok')
  const issued = answer.status === 'ok' ? await provider.ClientCredentials.find(answer.token) : undefined
  expect(issued?.clientId).toBe('usher')
  for (const [clientId, clientSecret] of [
    ['usher', 'a secret / with + signs'],
    ['tenant:usher+1@example.org', '100% p&s=:"\'~ *'],
    ['plain', 'only-letters'],
  ]) {
    const given = await sourceOf().get(DESTINATION, configOf(tokenUrl, { clientId, clientSecret }))
    const found = given.status === 'ok' ? await provider.ClientCredentials.find(given.token) : undefined
    expect(found?.clientId).toBe(clientId)
  }
  const raw = { clientId: 'usher', clientSecret: 'a secret / with + signs', rawCredentials: true }
  expect(await sourceOf().get(DESTINATION, configOf(tokenUrl, raw))).toMatchObject({ status: 'failed' })
  expect(
    await sourceOf().get(DESTINATION, configOf(tokenUrl, { clientId: 'usher', clientSecret: 'wrong' })),
  ).toMatchObject({
    status: 'failed',
    reason: 'http_401',
  })
})
