import { join } from 'node:path'
import { type Dispatcher, openDispatcher } from './activation/dispatcher.ts'
import { startAdmin } from './api/start-admin.ts'
import { parseSegmentRule } from './audience/rules/segment-rule.ts'
import { checkTraitRule } from './audience/rules/trait-rule.ts'
import { DenyList } from './collect/deny-list.ts'
import { keepDenyList } from './collect/deny-list-keeper.ts'
import { startEdge } from './collect/edge-server.ts'
import type { Role, UsherConfig } from './config.ts'
import { makeEcidMapper } from './identity/ecid.ts'
import type { Listener } from './lib/egress/address-policy.ts'
import { openEgress } from './lib/egress/egress.ts'
import { createLog } from './lib/log.ts'
import { createMetrics } from './lib/metrics.ts'
import { randomDeviceId, randomEventId } from './lib/random-ids.ts'
import { ADMIN_TOKEN_FILE } from './lib/secret-files.ts'
import { readVersion } from './lib/version.ts'
import { openBackupDesk } from './main/backup.ts'
import { readExtraCa, readTls } from './main/certificates.ts'
import { checkPorts } from './main/check-ports.ts'
import { openDataDir } from './main/data-dir.ts'
import { deliveryGauges } from './main/delivery-health.ts'
import { deliveryControl, openDeliveryReader } from './main/delivery-reader.ts'
import { openDenyListDesk } from './main/deny-list-desk.ts'
import { destinationTypes } from './main/destination-types.ts'
import { watchDisk } from './main/disk-guard.ts'
import { openDiskShares } from './main/disk-share.ts'
import { edgeConfigOf } from './main/edge-config.ts'
import { openFaultLog } from './main/fault-log.ts'
import { guardedHandler } from './main/guarded-handler.ts'
import { openObserver } from './main/observe.ts'
import { openOverviewReader } from './main/overview-reader.ts'
import { owedParts } from './main/owed-parts.ts'
import { openPlaces } from './main/places.ts'
import { openProductClock } from './main/product-clock.ts'
import { replayControl } from './main/replay-control.ts'
import { type Retention, startRetention } from './main/retention.ts'
import { leaveAddresses } from './main/server-file.ts'
import { startWarnings } from './main/start-warnings.ts'
import { openStores } from './main/stores.ts'
import { openToldReader } from './main/told-reader.ts'
import { watchUnusable } from './main/unusable-destinations.ts'
import type { Overrides, Usher } from './main/usher.ts'
import { watchReadiness } from './main/watch-readiness.ts'
import { dataSourceOfKind } from './model/deny-entry.ts'
import type { DestinationId, DeviceId, EventId, ProfileId, SegmentId } from './model/ids.ts'
import { explainProfile } from './pipeline/explain-profile.ts'
import { findProfiles, viewFound } from './pipeline/find-profiles.ts'
import type { Parts } from './pipeline/parts.ts'
import { viewProfile } from './pipeline/profile-views.ts'
import { openRefile } from './pipeline/refile.ts'
import { openRulebooks } from './pipeline/rulebooks.ts'
import { type Sweep, startSweep } from './pipeline/sweep.ts'
import { verifyStore } from './store/verify.ts'

export { ABOUT_BYTES_HEADER } from './api/backups.ts'
export { backupDataDir } from './main/backup.ts'
export { openDataDir } from './main/data-dir.ts'
export { type RestoreReport, restoreDataDir } from './main/restore.ts'
export type { Overrides, Usher } from './main/usher.ts'
export { type RepairReport, repairDataDir, type VerifyReport, verifyDataDir } from './main/verify-data-dir.ts'

/** Puts the parts together: configuration, stores, rulebook, delivery, sweep, then the listeners. */
export async function startUsher(config: UsherConfig, overrides: Overrides = {}): Promise<Usher> {
  const startedMs = performance.now()
  const has = (role: Role) => config.roles.includes(role)
  const log = createLog({ level: config.logLevel })
  const metrics = createMetrics()
  const clock = openProductClock({
    dataDir: config.dataDir,
    offsetMs: config.clockOffsetMs,
    log,
    onLeap: metrics.clockJump,
    machine: overrides.machineClock,
  })
  const allowPrivate = config.allowPrivateDestinations
  const allowedTargets = overrides.allowedTargets ?? []
  const tls = readTls(config)
  const places = has('edge') ? await openPlaces(config.edge, log) : undefined
  const edgeConfig = edgeConfigOf(config, tls, places)
  const version = readVersion()
  await checkPorts(config)

  openDataDir(config)
  let retention: Retention | undefined
  const disk = await watchDisk(config.dataDir, log, {
    read: overrides.readDiskSpace,
    onWorse: () => retention?.kick(),
  })
  const stores = await openStores(config, {
    clock: clock.now,
    onCorrupt: metrics.storeRecordCorrupt,
    log: (event, fields) => log.warn(event, fields),
    onWrite(ms, isSynced) {
      metrics.storeCommit(ms / 1000)
      if (isSynced) metrics.storeFlush(ms / 1000)
    },
    onWriteFailed: disk.failed,
    wrapRecords: overrides.wrapRecords,
  })
  const { catalog, profiles, deliveries, secrets } = stores
  for (const warning of [
    ...stores.warnings,
    ...startWarnings(config, clock.reading().nowMs + clock.offsetMs(), allowedTargets.length > 0),
  ])
    log.warn('start.warning', { warning })
  const watchDestinations = watchUnusable(log)
  const rulebooks = await openRulebooks(catalog, {
    allowPrivate,
    epoch: clock.epoch,
    onBuilt: (rulebook, buildMs) => {
      log.info('rulebook.built', { version: rulebook.version, buildMs: Math.round(buildMs) })
      watchDestinations(rulebook.destinations)
    },
    onFailed: (error) => log.error('rulebook.failed', { error }),
  })

  // Of a port that the system picks the number is known once it listens.
  const ownListeners: Listener[] = [config.edge.port, config.admin.port].map((port) => ({ host: config.host, port }))
  const egress = openEgress({
    allowPrivate,
    allowedTargets,
    extraCa: readExtraCa(config),
    ownListeners,
    onDenied: metrics.egressDenied,
  })
  const observer = await openObserver({
    rulebook: rulebooks.current,
    jobs: stores.jobs,
    clock: clock.now,
    onFailed: (error) => log.error('figures.unsaved', { error }),
  })
  let dispatcher: Dispatcher | undefined
  const parts: Parts = {
    profiles,
    rulebook: rulebooks.current,
    ecids: makeEcidMapper(secrets.ecidKey),
    clock: clock.now,
    newDeviceId: () => randomDeviceId() as DeviceId,
    newEventId: () => randomEventId() as EventId,
    notify(profileId: ProfileId, destinationIds: readonly DestinationId[]) {
      observer.onOwed(profileId, destinationIds)
      dispatcher?.notify(profileId, destinationIds)
    },
    onCall: observer.onCall,
    onMembership: observer.onMembership,
    ...owedParts({
      deliveries,
      destinations: () => rulebooks.current().destinations,
      notify: (profileId, ids) => dispatcher?.notify(profileId, ids),
      clock: clock.now,
    }),
    judgedMs: clock.judgedMs,
    isTimeKept: clock.isTimeKept,
    mayForget: clock.mayForget,
    onFollowUpFailed: (error) => {
      log.error('follow_up.failed', { error })
      sweep?.retryFollowUps()
    },
  }
  let sweep: Sweep | undefined
  sweep = has('batch')
    ? startSweep(parts, {
        onRound: (count, lagMs) => {
          metrics.sweepRound(count, lagMs / 1000)
          log.debug('sweep.round', { profiles: count, lagMs })
        },
        onFailed: (error) => log.error('sweep.failed', { error }),
      })
    : undefined
  if (has('delivery')) {
    dispatcher = await openDispatcher({
      deliveries,
      profiles,
      jobs: stores.jobs,
      rules: () => rulebooks.current().destinations,
      egress,
      clock: clock.now,
      // A pause is the operator's to end; the rest is what happens with partners.
      log: (event, fields) => (event === 'delivery.paused' ? log.warn : log.info)(event, fields),
      userAgent: `Usher/${version}`,
      onAttempt: ({ attempts }) => {
        const attempt = attempts.at(-1)
        if (attempt !== undefined) metrics.deliveryAttempt('s2s', attempt.outcome, attempt.durationMs / 1000)
      },
      onEnded: (delivery) => {
        observer.onEnded(delivery)
        if (delivery.status === 'dead') metrics.deliveryDead(delivery.reason ?? 'unknown')
      },
    })
  }
  const destinations = () => rulebooks.current().destinations.existing
  const shares = openDiskShares({
    deliveries,
    destinations,
    shareBytes: () => config.delivery.diskShare * disk.totalBytes(),
    isPaused: (id) => dispatcher?.health().find((one) => one.destinationId === id)?.paused !== undefined,
    pause: async (id) => dispatcher?.pause(id, 'quota'),
    clock: clock.now,
    log,
  })
  if (has('batch')) {
    retention = startRetention({
      deliveries,
      historyDays: config.delivery.historyDays,
      shares,
      destinations,
      isDiskLow: () => disk.state() !== 'ok',
      clock: clock.now,
      mayForget: clock.mayForget,
      log,
    })
  }
  const readiness = watchReadiness(
    () => disk.state() === 'full',
    () => stores.records.flush(),
    clock.isTimeKept,
  )
  const handler = guardedHandler(parts, {
    isDiskFull: () => disk.state() === 'full',
    isTimeKept: clock.isTimeKept,
    onAccepted: metrics.collectAccepted.bind(undefined, config.durability),
    onOptOut: metrics.optOut,
    onStoreFailed: readiness.storeFailed,
  })
  const refile = await openRefile(parts, stores.jobs, {
    callsEnded: handler.ended,
    onPurged: stores.freeIds,
    onFailed: (error) => log.error('refile.failed', { error }),
  })
  if (has('batch')) refile.start(rulebooks.current())
  rulebooks.onSwap((rulebook) => {
    observer.rulesChanged()
    dispatcher?.rulesChanged()
    if (has('batch')) refile.start(rulebook)
  })
  clock.keep(rulebooks.epochChanged)

  const denyList = new DenyList(config.edge.denyList)
  const denyListKeeper = await keepDenyList(denyList, {
    store: stores.denied,
    clock: clock.now,
    mayForget: clock.mayForget,
    log,
  })

  const edge = has('edge')
    ? await startEdge({
        config: edgeConfig,
        handler,
        directory: () => rulebooks.current().directory,
        denyList,
        firstVisitKey: secrets.ecidKey,
        clock: clock.now,
        ready: readiness.reasons,
        onRequest: (record) => {
          metrics.httpRequest(record.route, record.status, record.durationMs / 1000)
          if (config.logLevel === 'debug') log.debug('event.received', { ...record })
        },
        onRejected: metrics.collectRejected,
        onConsent: metrics.consentDecision,
        onRedirectBlocked: metrics.redirectBlocked,
        onCallerOverLimit: (kind) => log.warn('deny_list.caller_over_limit', { dataSourceId: dataSourceOfKind(kind) }),
        onFault: openFaultLog(log),
      })
    : undefined
  const told = openToldReader({ deliveries, rulebook: rulebooks.current, dispatcher, clock: clock.now })
  const admin = has('admin')
    ? await startAdmin({
        config: {
          host: config.host,
          port: config.admin.port,
          tls,
          // The file lets the commands of this machine in, whatever is configured.
          adminTokens: [secrets.adminToken, ...(config.admin.token === undefined ? [] : [config.admin.token])],
          production: config.production,
          tlsEndedInFront: config.tls.endedInFront,
        },
        catalog,
        rules: { checkTraitRule, parseSegmentRule },
        destinationTypes: destinationTypes({ allowPrivate, allowedTargets }, secrets.masterKey),
        profiles: {
          find: async (text) =>
            (await findProfiles(text, parts)).map((id) => viewFound(id, rulebooks.current().directory)),
          profile: (id) => viewProfile(id, parts, told.ofProfile),
          explain: (id, segmentId, atMs) => explainProfile(id, segmentId as SegmentId, atMs, parts, told.ofSegment),
        },
        deliveries: openDeliveryReader({
          ...{ deliveries, profiles, dispatcher, clock: clock.now },
          ...{ rulebook: rulebooks.current, names: catalog.names },
        }),
        replays: dispatcher && replayControl(dispatcher, deliveries),
        denyList: openDenyListDesk(denyList, denyListKeeper, {
          mayClear: config.edge.denyList.mayClear,
          clock: clock.now,
        }),
        delivery: dispatcher && deliveryControl(dispatcher, destinations),
        clock: {
          ...clock,
          advance(ms) {
            const nowMs = clock.advance(ms)
            sweep?.kick()
            retention?.kick()
            return nowMs
          },
        },
        overview: openOverviewReader({
          activity: observer.activity,
          dispatcher: () => dispatcher,
          rulebook: rulebooks.current,
          names: catalog.names,
          disk: disk.state,
          damage: stores.damage,
          diskShares: shares.levels,
          allowPrivate,
          clock,
        }),
        live: observer.live,
        uiFolder: join(import.meta.dirname, '..', 'dist', 'web'),
        verifier: {
          verify: (onProgress) => verifyStore(stores.records, { ...stores.checks, onProgress }),
        },
        backups: openBackupDesk(stores.backedUp, { clock: clock.now, log }),
        ready: readiness.reasons,
        metrics,
        log,
        version,
        durability: config.durability,
      })
    : undefined
  for (const listener of [edge, admin])
    if (listener !== undefined) ownListeners.push({ host: config.host, port: listener.port })
  await disk.reserved
  metrics.watch({
    diskFreeBytes: disk.freeBytes,
    ...deliveryGauges(dispatcher, clock.now),
    storeBytes: async () => ({ profiles: (await stores.records.stats()).diskBytes }),
  })

  const takeAddresses = leaveAddresses(config, { edge, admin, tls }, log)

  return {
    edgeUrl: edge?.url ?? '',
    adminUrl: admin?.url ?? '',
    ready: {
      edgeUrl: edge?.url ?? '',
      adminUrl: admin?.url ?? '',
      durability: config.durability,
      startupMs: Math.round(performance.now() - startedMs),
      allowPrivateDestinations: allowPrivate,
    },
    newTokenFile:
      stores.isFirstStart && config.admin.token === undefined ? join(config.dataDir, ADMIN_TOKEN_FILE) : undefined,
    needsSetupLink: async () => admin !== undefined && !(await admin.sessions.any()),
    newSetupLink: async () => admin?.sessions.newLink(),
    async close() {
      readiness.stopping()
      takeAddresses()
      await Promise.all([edge?.close(), admin?.close()])
      await rulebooks.close()
      await Promise.all([sweep?.close(), retention?.close(), refile.close(), denyListKeeper.close()])
      await dispatcher?.close()
      await observer.close()
      await egress.close()
      await stores.close()
      disk.close()
      await clock.close()
      metrics.close()
    },
  }
}
