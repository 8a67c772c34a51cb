// `npm run build [-- --clean]`: compiles src/ to dist/ and web/ to dist/web/; with --clean into an empty folder.
import { build, install } from './setup.mjs'

install()
build({ force: true, clean: process.argv.includes('--clean') })
