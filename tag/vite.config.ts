import { join } from 'node:path'
import { defineConfig } from 'vite'

/** The page tag: one classic script in dist/tag, minified, for browsers from 2019 on. */
export default defineConfig({
  root: import.meta.dirname,
  logLevel: 'warn',
  build: {
    outDir: join(import.meta.dirname, '..', 'dist', 'tag'),
    emptyOutDir: false,
    target: 'es2019',
    reportCompressedSize: false,
    lib: { entry: 'tag.ts', formats: ['iife'], name: 'usherTag', fileName: () => 'tag.js' },
  },
})
