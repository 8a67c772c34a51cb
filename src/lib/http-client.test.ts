import { createServer, type RequestListener, type Server } from 'node:http'
import { afterEach, expect, test } from 'vitest'
import { freePort } from '../testkit/free-port.ts'
import { createHttpClient, ServerUnreachableError } from './http-client.ts'
import { ApiRefusalError, createRestClient } from './rest-client.ts'

const open: { close(): void }[] = []
afterEach(() => {
  for (const one of open.splice(0)) one.close()
})

async function serve(listener: RequestListener): Promise<string> {
  const port = await freePort()
  const server: Server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  open.push({
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  })
  return `http://127.0.0.1:${port}`
}

function client() {
  const http = createHttpClient()
  open.push(http)
  return http
}

test('JSON goes out with the token and comes back', async () => {
  const url = await serve((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const { method, url: path, headers } = request
      response.end(
        JSON.stringify({
          method,
          path,
          auth: headers.authorization,
          type: headers['content-type'],
          body: Buffer.concat(parts).toString(),
        }),
      )
    })
  })
  const api = createRestClient(client(), `${url}/`, 'secret-token')
  expect(await api.post('/v1/traits/', { name: 'ü' })).toEqual({
    method: 'POST',
    path: '/v1/traits/',
    auth: 'Bearer secret-token',
    type: 'application/json',
    body: '{"name":"ü"}',
  }) // prettier-ignore
  expect(await api.get('/v1/traits/')).toMatchObject({ method: 'GET', body: '' })
})

test('a refusal carries the status, code, message and fields of the answer', async () => {
  const url = await serve((_request, response) => {
    response.writeHead(400).end(
      JSON.stringify({
        code: 'rule_invalid',
        message: 'cannot be read.',
        details: [{ field: 'traitRule', message: 'position 3' }],
      }),
    )
  })
  const refused = createRestClient(client(), url, undefined).get('/x')
  await expect(refused).rejects.toThrow('cannot be read; traitRule: position 3')
  await expect(refused).rejects.toMatchObject({ status: 400, code: 'rule_invalid' })
})

test('lines arrive one by one, also when cut anywhere', async () => {
  const url = await serve((_request, response) => {
    response.write('{"n":1}\n{"n"')
    setTimeout(() => response.end(':2}\n{"n":3}'), 20)
  })
  const seen: unknown[] = []
  for await (const value of await createRestClient(client(), url, undefined).stream('/v1/verify')) seen.push(value)
  expect(seen).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }])
})

test('a refused stream is a refusal, not data', async () => {
  const url = await serve(
    (_request, response) => void response.writeHead(401).end('{"code":"unauthorized","message":"no token"}'),
  )
  await expect(createRestClient(client(), url, undefined).stream('/v1/verify')).rejects.toBeInstanceOf(ApiRefusalError)
})

test('nobody listens, and a silent server: unreachable, with the address', async () => {
  const nobody = `http://127.0.0.1:${await freePort()}`
  await expect(client().call(nobody)).rejects.toThrow(`no answer from ${nobody}: ECONNREFUSED`)
  const silent = await serve(() => {})
  await expect(client().call(silent, { idleTimeoutMs: 30 })).rejects.toBeInstanceOf(ServerUnreachableError)
})
