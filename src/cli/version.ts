import { readVersion } from '../lib/version.ts'

export function version({ json = false }: { readonly json?: boolean }): void {
  const usher = readVersion()
  const text = json
    ? JSON.stringify({ usher, node: process.versions.node, platform: `${process.platform}-${process.arch}` })
    : `usher ${usher}`
  process.stdout.write(`${text}\n`)
}
