import { readFileSync } from 'node:fs'

/** Of the product; from package.json, two folders above both `src/lib` and `dist/lib`. */
export function readVersion(): string {
  const path = new URL('../../package.json', import.meta.url)
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version
}
