import { readFileSync } from 'node:fs'

/** From package.json, two folders above both `src/cli` and `dist/cli`. */
export function readVersion(): string {
  const path = new URL('../../package.json', import.meta.url)
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version
}

export function version({ json = false }: { readonly json?: boolean }): void {
  const usher = readVersion()
  const text = json
    ? JSON.stringify({ usher, node: process.versions.node, platform: `${process.platform}-${process.arch}` })
    : `usher ${usher}`
  process.stdout.write(`${text}\n`)
}
