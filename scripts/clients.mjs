// `npm run clients`: Adobe's own libraries, unmodified, in the system's Chromium against the real edge over TLS.
// USHER_CLIENTS_DIR names a folder with visitorapi.min.js (repository Adobe-Marketing-Cloud/id-service, lib/) and
// AppMeasurement_Module_AudienceManagement.js (repository adobe/appmeasurement, dist/). They are never part of this one.
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromiumPath, hasBrowser } from '../test/clients/browser.mjs'
import { makeCertificates } from '../test/clients/certificates.mjs'
import { checkDataLibrary } from '../test/clients/data-library.mjs'
import { checkMobileSdk } from '../test/clients/mobile-sdk.mjs'
import { LIBRARIES, startSite } from '../test/clients/site.mjs'
import { checkVisitorApi } from '../test/clients/visitor-api.mjs'
import { freePort, startServer } from './server.mjs'
import { setUp } from './setup.mjs'

const ORGANIZATION = '0123456789ABCDEF01234567@AdobeOrg'
const librariesDir = process.env.USHER_CLIENTS_DIR
needPrograms()
setUp()

const folder = mkdtempSync(join(tmpdir(), 'usher-clients-'))
const results = []
let site
let server
try {
  const tls = makeCertificates(folder, ['*.demdex.net', 'www.shop.test', '*.partner.test'])
  site = await startSite({ port: await freePort(), cert: tls.cert, key: tls.key, librariesDir })
  server = await startServer(
    {
      USHER_TLS_CERT: tls.certPath,
      USHER_TLS_KEY: tls.keyPath,
      USHER_COLLECTION_DOMAIN: 'demdex.net',
      USHER_EDGE_ALIASES: 'shop',
    },
    tls.cert,
  )
  const world = await makeWorld(server)
  await checkMobileSdk(world, check)
  await checkVisitorApi(world, check)
  await checkDataLibrary(world, check)
} catch (error) {
  results.push({ id: '-', what: 'the run', error })
  console.error(error, server?.output() ?? '')
} finally {
  await server?.stop()
  await site?.close()
  rmSync(folder, { recursive: true, force: true })
}
const failed = results.filter(({ error }) => error !== undefined)
console.log(`\n${results.length - failed.length} passed, ${failed.length} failed`)
process.exitCode = failed.length > 0 ? 1 : 0

/** Runs one check and goes on after a failure: each is a finding of its own. */
async function check(id, what, prove) {
  try {
    await prove()
    results.push({ id, what })
    console.log(`  ok      ${id.padEnd(7)} ${what}`)
  } catch (error) {
    results.push({ id, what, error })
    console.log(
      `  FAILED  ${id.padEnd(7)} ${what}\n          ${String(error.message).replaceAll('\n', '\n          ')}`,
    )
  }
}

/** Definitions, and where each host name is answered. */
async function makeWorld({ api, http, edgeUrl }) {
  const { dataSourceId } = await api.post('/v1/datasources/', { name: 'Shop' })
  const partnerIds = 77052
  const sync = (host, syncOnPage) => ({ url: `//${host}.partner.test/sync?id=%DID%`, tag: 'img', syncOnPage })
  await api.post('/v1/datasources/', {
    dataSourceId: partnerIds,
    name: 'Synced on the page',
    idType: 'COOKIE',
    idSync: sync('on-page', true),
  })
  await api.post('/v1/datasources/', { name: 'Synced in the frame', idType: 'COOKIE', idSync: sync('in-frame', false) })
  await api.post('/v1/datasources/', { name: 'Customers', integrationCode: 'crm_shop', idType: 'CROSS_DEVICE' })
  const trait = {
    name: 'Shoes',
    traitType: 'RULE_BASED_TRAIT',
    traitRule: 'c_category == "shoes"',
    dataSourceId,
    folderId: 0,
  }
  const { sid: traitId } = await api.post('/v1/traits/', trait)
  const { sid: segmentId } = await api.post('/v1/segments/', {
    name: 'Shoe lovers',
    segmentRule: `${traitId}T`,
    dataSourceId,
    folderId: 0,
  })
  // Definitions take effect within 5 s.
  await new Promise((resolve) => setTimeout(resolve, 5000))
  const edgePort = Number(new URL(edgeUrl).port)
  const sitePort = site.port
  return {
    api,
    http,
    edgeUrl,
    organization: ORGANIZATION,
    partnerIds,
    segmentId,
    hosts: { '*.demdex.net': edgePort, 'www.shop.test': sitePort, '*.partner.test': sitePort },
  }
}

function needPrograms() {
  const missing = Object.values(LIBRARIES).filter(
    (name) => librariesDir === undefined || !existsSync(join(librariesDir, name)),
  )
  if (missing.length > 0) {
    console.error(
      `USHER_CLIENTS_DIR must name a folder that holds ${Object.values(LIBRARIES).join(' and ')}; missing: ${missing.join(', ')}`,
    )
    process.exit(2)
  }
  if (!hasBrowser()) {
    console.error(
      `no browser at ${chromiumPath()}. Install one (apt-get install -y --no-install-recommends chromium-headless-shell), or name it with USHER_CHROMIUM`,
    )
    process.exit(2)
  }
}
