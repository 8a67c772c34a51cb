import { join } from 'node:path'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

const admin = process.env['USHER_ADMIN_URL'] ?? 'http://127.0.0.1:8081'

/** The admin UI: built to dist/web, which the admin listener serves; in development a proxy in front of that listener. */
export default defineConfig({
  root: import.meta.dirname,
  logLevel: 'warn',
  plugins: [react()],
  build: {
    outDir: join(import.meta.dirname, '..', 'dist', 'web'),
    emptyOutDir: true,
    // Fonts stay files: the policy allows them from our own origin, not from data addresses.
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    chunkSizeWarningLimit: 900,
  },
  server: {
    host: '127.0.0.1',
    port: 5173,
    proxy: Object.fromEntries(['/v1', '/openapi.json', '/docs', '/healthz', '/readyz'].map((path) => [path, admin])),
  },
})
