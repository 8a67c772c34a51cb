// `node scripts/docs.mjs`: writes the pages that come from the source: docs/configuration.md, its JSON Schema,
// docs/destination-settings.md, and docs/metrics.md.
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root, setUp } from './setup.mjs'

setUp()
const { configJsonSchema, renderConfigPage } = await import(`file://${join(root, 'dist', 'config.js')}`)
writeFileSync(join(root, 'docs', 'configuration.md'), renderConfigPage())
const schema = join('config', 'usher.schema.json')
writeFileSync(join(root, schema), `${JSON.stringify(configJsonSchema(), null, 2)}\n`)
execFileSync(join(root, 'node_modules', '.bin', 'biome'), ['format', '--write', schema], { cwd: root })
const types = join(root, 'dist', 'activation', 'destinations')
const { renderSettingsPage } = await import(`file://${join(types, 'settings-page.js')}`)
const { destinationTypes } = await import(`file://${join(types, 'index.js')}`)
writeFileSync(join(root, 'docs', 'destination-settings.md'), renderSettingsPage(destinationTypes))
const { renderMetricsPage } = await import(`file://${join(root, 'dist', 'lib', 'metrics-page.js')}`)
writeFileSync(join(root, 'docs', 'metrics.md'), renderMetricsPage())
process.exit()
