import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { asCurl } from './curl.ts'

test.skipIf(process.platform === 'win32')(
  'a shell reads back exactly what was sent, quotes and dollars included',
  () => {
    const body = `{"name":"it's $HOME \`x\` \\n","n":1}`
    const command = asCurl({
      method: 'POST',
      url: 'https://in.example/a?b=1&c=2',
      headers: { 'Content-Type': 'application/json', 'Content-Length': '3' },
      body,
    })
    const script = `curl() { for word in "$@"; do printf '%s\\0' "$word"; done; }\n${command}`
    const words = execFileSync('sh', ['-c', script], { encoding: 'utf8' }).split('\0')
    expect(words.slice(0, -1)).toEqual([
      '-X',
      'POST',
      'https://in.example/a?b=1&c=2',
      '-H',
      'Content-Type: application/json',
      '--data-raw',
      body,
    ])
  },
)
