import { parse as parseYaml, YAMLParseError } from 'yaml'

/** The configuration cannot be used; `issues` says everything that is wrong, a sentence each. */
export class ConfigError extends Error {
  readonly code = 'config_invalid'
  readonly issues: readonly string[]
  constructor(issues: readonly string[]) {
    super(`The configuration cannot be used:\n${issues.map((issue) => `  - ${issue}`).join('\n')}`)
    this.issues = issues
  }
}

/** The YAML file, a map of keys to values; empty where it is empty. @throws ConfigError with its path */
export function readYaml(path: string, readFile: (path: string) => string): Record<string, unknown> {
  try {
    const value: unknown = parseYaml(readFile(path)) ?? {}
    if (typeof value === 'object' && !Array.isArray(value)) return value as Record<string, unknown>
    throw new ConfigError([`${path}: must be a map of keys to values`])
  } catch (error) {
    if (error instanceof ConfigError) throw error
    const reason =
      error instanceof YAMLParseError
        ? `is not valid YAML: ${error.message.trim()}`
        : `cannot be read: ${(error as Error).message}`
    throw new ConfigError([`${path}: ${reason}`])
  }
}
