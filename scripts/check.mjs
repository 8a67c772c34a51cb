// `npm run check`: types, lint and format, architecture rules [OPS-4].
import { install, runTool } from './setup.mjs'

install()
runTool('typescript/bin/tsc', ['-p', 'tsconfig.check.json'])
runTool('typescript/bin/tsc', ['-p', 'web/tsconfig.json'])
runTool('typescript/bin/tsc', ['-p', 'tag/tsconfig.json'])
runTool('@biomejs/biome/bin/biome', ['check', '--error-on-warnings', '.'])
runTool('vitest/vitest.mjs', ['run', 'test/tidy.test.ts'])
