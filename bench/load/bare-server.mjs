// The limit that collection is measured against: node:http that answers every request with the same bytes.
import { createServer } from 'node:http'

const body = Buffer.from(
  '{"stuff":[],"uuid":"22920112968019678612904394744954398990","dcs_region":7,"tid":"31ZpxW5bQGc="}',
)
const headers = ['Content-Type', 'application/json;charset=utf-8', 'Content-Length', String(body.length)]
const server = createServer((_request, response) => {
  response.writeHead(200, headers)
  response.end(body)
})
server.listen(Number(process.argv[2]), '127.0.0.1', () => process.stdout.write('ready\n'))
