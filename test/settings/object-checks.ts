import { acts, type Check, forPeople, pair, refused } from './check.ts'
import {
  chosenId,
  codesOf,
  DAY_MS,
  dayFrom,
  inWorld,
  lastOf,
  listed,
  makeCrm,
  makeDestination,
  makeFolder,
  makeRule,
  makeSegment,
  makeSource,
  makeTrait,
  mapTo,
  mergedUnder,
  profile,
  replaceRule,
  sidsOf,
  sourceId,
  statusOf,
  sync,
  text,
  told,
  withoutVendor,
} from './object-scene.ts'
import { type Answer, startWorld, unique, until } from './world.ts'

/** Members of what people define, sent to the whole server; what it then does shows that each is read. */
export const objectChecks: Readonly<Record<string, Check>> = {
  'datasources.dataSourceId': chosenId('/v1/datasources', 'dataSourceId', async () => ({ name: 'x' })),
  'datasources.name': text,
  'datasources.description': text,
  'datasources.integrationCode': inWorld(async (w) => {
    const code = unique()
    const seen = async () => codesOf(await w.event(`d_cid_ic=${code}%01x`))
    const before = await seen()
    await makeSource(w, { integrationCode: code })
    await w.settled()
    return [before, await seen()]
  }),
  'datasources.status': inWorld(async (w) => {
    const [on, off] = [await makeSource(w), await makeSource(w, { status: 'INACTIVE' })]
    await w.settled()
    return pair([on, off], async ({ dataSourceId }) => codesOf(await w.event(`d_cid=${dataSourceId}%01x`)))
  }),
  'datasources.idType': inWorld(async (w) =>
    pair([await makeCrm(w), await makeSource(w)], (source) => statusOf(w, '/v1/merge-rules', lastOf(source))),
  ),
  'datasources.subIdType': forPeople('Person or household: said of the ID, evaluated alike.'),
  'datasources.inboundS2S': inWorld(async (w) =>
    pair([true, false], async (inboundS2S) => {
      const { dataSourceId } = await makeSource(w, { inboundS2S })
      return listed(w, '/v1/datasources?inboundOnly=true', 'dataSourceId', dataSourceId)
    }),
  ),
  'datasources.outboundS2S': inWorld(async (w) =>
    pair([true, false], async (outboundS2S) => {
      const { dataSourceId } = await makeSource(w, { outboundS2S })
      return listed(w, '/v1/datasources?outboundOnly=true', 'dataSourceId', dataSourceId)
    }),
  ),
  'datasources.dataExportRestrictions': refused(['PII']),
  'datasources.inboundIdType': refused('AUDIENCE_MANAGER_ID'),
  'datasources.useAudienceManagerVisitorID': refused(true),
  'datasources.marketingCloudVisitorIdVersion': refused(1),
  'datasources.allowDataSharing': refused(true),
  'datasources.masterDataSourceIdProvider': refused(true),
  'datasources.allowDeviceGraphSharing': refused(true),
  'datasources.deviceGraph': refused(true),
  'datasources.deviceGraphName': refused('graph'),
  'datasources.samplingEnabled': refused(true),
  'datasources.uniqueTraitIntegrationCodes': inWorld(async (w) =>
    pair([true, false], async (uniqueTraitIntegrationCodes) => {
      const { dataSourceId } = await makeSource(w, { uniqueTraitIntegrationCodes })
      const draft = { name: 'x', folderId: 0, traitType: 'ON_BOARDED_TRAIT', dataSourceId, integrationCode: unique() }
      await w.make('/v1/traits', draft)
      return statusOf(w, '/v1/traits', draft)
    }),
  ),
  'datasources.uniqueSegmentIntegrationCodes': inWorld(async (w) => {
    const { sid } = await makeTrait(w)
    return pair([true, false], async (uniqueSegmentIntegrationCodes) => {
      const { dataSourceId } = await makeSource(w, { uniqueSegmentIntegrationCodes })
      const draft = { name: 'x', folderId: 0, segmentRule: `${sid}T`, dataSourceId, integrationCode: unique() }
      await w.make('/v1/segments', draft)
      return statusOf(w, '/v1/segments', draft)
    })
  }),
  'datasources.supportsAuthenticatedProfile': inWorld(async (w) =>
    pair([true, false], async (supportsAuthenticatedProfile) =>
      statusOf(w, '/v1/merge-rules', lastOf(await makeCrm(w, { supportsAuthenticatedProfile }))),
    ),
  ),
  'datasources.authenticatedProfileName': forPeople('How merge rules call the data source where one is chosen.'),
  'datasources.customerProfileDataRetention': acts(async () => {
    await using w = await startWorld()
    const [short, long] = [await makeCrm(w, { customerProfileDataRetention: 2_592_000 }), await makeCrm(w)]
    await w.settled()
    await w.event(`d_cid=${short.dataSourceId}%01anna%011&d_cid=${long.dataSourceId}%01anna%011`)
    const known = async (source: Answer) => (await w.send('GET', `/v1/profiles/${source.dataSourceId}:anna`)).status
    await until(async () => (await known(long)) === 200 || undefined)
    await w.send('POST', '/v1/test/clock', { advanceMs: 40 * DAY_MS })
    await until(async () => (await known(short)) !== 200 || undefined)
    return [await known(short), await known(long)]
  }),
  'datasources.redirectHosts': inWorld(async (w) => {
    const sources = [await makeSource(w), await makeSource(w, { redirectHosts: ['r.example'] })] as const
    await w.settled()
    return await pair(sources, async ({ dataSourceId }) => {
      const path = `/ibs:dpid=${dataSourceId}&dpuuid=x&redir=https%3A%2F%2Fr.example%2F`
      return (await fetch(w.usher.edgeUrl + path, { redirect: 'manual' })).status
    })
  }),
  'datasources.idSync.url': sync([{ url: 'https://s.example/b' }, {}]),
  'datasources.idSync.tag': sync([{ tag: 'iframe' }, {}]),
  'datasources.idSync.intervalMinutes': sync([{ intervalMinutes: 5 }, {}]),
  'datasources.idSync.syncOnPage': sync([{ syncOnPage: true }, {}]),
  'datasources.idSync.containerIds': sync([{ containerIds: [5] }, {}]),

  'folders.folderId': chosenId('/v1/folders/traits', 'folderId', async () => ({ name: 'x', parentFolderId: 0 })),
  'folders.parentFolderId': inWorld(async (w) => {
    const outer = await makeFolder(w)
    return pair([0, outer.folderId], async (parentFolderId) => {
      const inner = await makeFolder(w, { parentFolderId })
      const trait = await makeTrait(w, { folderId: inner.folderId })
      const segment = await makeSegment(w, `${outer.traitId}T`)
      await w.settled()
      const { uuid } = await w.event(`${trait.key}=1`)
      return sidsOf((await profile(w, uuid)).segments).includes(segment.sid)
    })
  }),
  'folders.name': text,

  'traits.sid': chosenId('/v1/traits', 'sid', async (w) => ({
    name: 'x',
    folderId: 0,
    traitType: 'ON_BOARDED_TRAIT',
    dataSourceId: await sourceId(w),
  })),
  'traits.name': text,
  'traits.description': text,
  'traits.comments': text,
  'traits.type': forPeople('Event type: a label until there are reports of it.'),
  'traits.categoryId': forPeople('Data category: a label until there is a taxonomy.'),
  'traits.integrationCode': inWorld(async (w) => {
    const code = unique()
    await makeTrait(w, { integrationCode: code })
    return pair([code, unique()], async (asked) => (await w.send('GET', `/v1/traits/ic:${asked}`)).status)
  }),
  'traits.dataSourceId': inWorld(async (w) => {
    const [one, other] = [await sourceId(w), await sourceId(w)]
    const trait = await makeTrait(w, { dataSourceId: one })
    await w.settled()
    return pair([one, other], async (asked) => {
      const { uuid } = await w.event(`${trait.key}=1&d_tdpid=${asked}`)
      return sidsOf((await profile(w, uuid)).traits).includes(trait.sid)
    })
  }),
  'traits.folderId': inWorld(async (w) => {
    const folder = await makeFolder(w)
    const segment = await makeSegment(w, `${folder.traitId}T`)
    return pair([0, folder.folderId], async (folderId) => {
      const trait = await makeTrait(w, { folderId })
      await w.settled()
      const { uuid } = await w.event(`${trait.key}=1`)
      return sidsOf((await profile(w, uuid)).segments).includes(segment.sid)
    })
  }),
  'traits.traitType': inWorld(async (w) => {
    const ruled = await makeTrait(w)
    const onboarded = await makeTrait(w, { traitType: 'ON_BOARDED_TRAIT', traitRule: null })
    await w.settled()
    const { uuid } = await w.event(`${ruled.key}=1&${onboarded.key}=1`)
    const held = sidsOf((await profile(w, uuid)).traits)
    return [held.includes(ruled.sid), held.includes(onboarded.sid)]
  }),
  'traits.traitRule': inWorld(async (w) => {
    const trait = await makeTrait(w)
    await w.settled()
    return pair([1, 2], async (value) => {
      const { uuid } = await w.event(`${trait.key}=${value}`)
      return sidsOf((await profile(w, uuid))?.traits ?? []).includes(trait.sid)
    })
  }),
  'traits.ttl': acts(async () => {
    await using w = await startWorld()
    const [short, long] = [await makeTrait(w, { ttl: 5 }), await makeTrait(w, { ttl: 60 })]
    const segments = [await makeSegment(w, `${short.sid}T`), await makeSegment(w, `${long.sid}T`)] as const
    await w.settled()
    const { uuid } = await w.event(`${short.key}=1&${long.key}=1`)
    await w.send('POST', '/v1/test/clock', { advanceMs: 20 * DAY_MS })
    const isIn = async (segment: Answer) => sidsOf((await profile(w, uuid)).segments).includes(segment.sid)
    await until(async () => !(await isIn(segments[0])) || undefined)
    return await pair(segments, isIn)
  }),
  'traits.status': inWorld(async (w) => {
    const [on, off] = [await makeTrait(w), await makeTrait(w, { status: 'INACTIVE' })]
    await w.settled()
    const { uuid } = await w.event(`${on.key}=1&${off.key}=1`)
    const held = sidsOf((await profile(w, uuid)).traits)
    return [held.includes(on.sid), held.includes(off.sid)]
  }),
  'traits.algoModelId': refused(3),
  'traits.thresholdValue': refused(0.5),
  'traits/validate.code': inWorld((w) =>
    pair(['a == 1', 'a =='], (code) => statusOf(w, '/v1/traits/validate', { code })),
  ),

  'segments.sid': chosenId('/v1/segments', 'sid', async (w) => ({
    name: 'x',
    folderId: 0,
    segmentRule: `${(await makeTrait(w)).sid}T`,
    dataSourceId: await sourceId(w),
  })),
  'segments.name': text,
  'segments.description': text,
  'segments.integrationCode': inWorld(async (w) => {
    const code = unique()
    await makeSegment(w, `${(await makeTrait(w)).sid}T`, { integrationCode: code })
    return pair([code, unique()], async (asked) => (await w.send('GET', `/v1/segments/ic:${asked}`)).status)
  }),
  'segments.segmentRule': inWorld(async (w) => {
    const [a, b] = [await makeTrait(w), await makeTrait(w)]
    const segments = [await makeSegment(w, `${a.sid}T`), await makeSegment(w, `${b.sid}T`)]
    await w.settled()
    const { uuid } = await w.event(`${a.key}=1`)
    const held = sidsOf((await profile(w, uuid)).segments)
    return [held.includes(segments[0].sid), held.includes(segments[1].sid)]
  }),
  'segments.dataSourceId': inWorld(async (w) => {
    const [used, free] = [await sourceId(w), await sourceId(w)]
    await makeSegment(w, `${(await makeTrait(w)).sid}T`, { dataSourceId: used })
    return pair([used, free], async (id) => (await w.send('DELETE', `/v1/datasources/${id}`)).status)
  }),
  'segments.mergeRuleDataSourceId': mergedUnder(async (_w, crm) => [
    lastOf(crm),
    { name: 'x', crossDeviceOption: 'NONE', deviceOption: 'DEVICE' },
  ]),
  'segments.folderId': inWorld(async (w) => {
    const { folderId } = await w.make('/v1/folders/segments', { name: unique(), parentFolderId: 0 })
    return pair([0, folderId], async (at) => {
      const { sid } = await makeSegment(w, `${(await makeTrait(w)).sid}T`, { folderId: at })
      return listed(w, `/v1/segments?folderId=${folderId}`, 'sid', sid)
    })
  }),
  'segments.status': inWorld(async (w) => {
    const trait = await makeTrait(w)
    const segments = [
      await makeSegment(w, `${trait.sid}T`),
      await makeSegment(w, `${trait.sid}T`, { status: 'INACTIVE' }),
    ]
    await w.settled()
    const { uuid } = await w.event(`${trait.key}=1`)
    const held = sidsOf((await profile(w, uuid)).segments)
    return [held.includes(segments[0].sid), held.includes(segments[1].sid)]
  }),
  'segments/validate.code': inWorld(async (w) => {
    const { sid } = await makeTrait(w)
    return pair([`${sid}T`, `${sid}`], (code) => statusOf(w, '/v1/segments/validate', { code }))
  }),
  'segments/bulk-merge-rule-replace.existingMergeRuleDataSourceId': inWorld(async (w) => {
    const [used, unused, next] = [await makeRule(w), await makeRule(w), await makeRule(w)]
    await makeSegment(w, `${(await makeTrait(w)).sid}T`, { mergeRuleDataSourceId: used })
    return pair([unused, used], async (existing) => (await replaceRule(w, existing, next)).segmentCount)
  }),
  'segments/bulk-merge-rule-replace.replaceWithMergeRuleDataSourceId': inWorld(async (w) => {
    const [used, a, b] = [await makeRule(w), await makeRule(w), await makeRule(w)]
    await makeSegment(w, `${(await makeTrait(w)).sid}T`, { mergeRuleDataSourceId: used })
    await replaceRule(w, used, a)
    return pair([a, b], async (id) => (await w.send('DELETE', `/v1/merge-rules/${id}`)).status)
  }),

  'merge-rules.mergeRuleDataSourceId': chosenId('/v1/merge-rules', 'mergeRuleDataSourceId', async () => ({
    name: 'x',
    crossDeviceOption: 'NONE',
    deviceOption: 'DEVICE',
  })),
  'merge-rules.name': text,
  'merge-rules.description': text,
  'merge-rules.isDefault': acts(async () => {
    await using w = await startWorld()
    return await pair([false, true], async (isDefault) => {
      const rule = await w.make('/v1/merge-rules', {
        name: 'x',
        crossDeviceOption: 'NONE',
        deviceOption: 'DEVICE',
        isDefault,
      })
      const segment = await makeSegment(w, `${(await makeTrait(w)).sid}T`)
      return segment.mergeRuleDataSourceId === rule.mergeRuleDataSourceId
    })
  }),
  'merge-rules.crossDeviceOption': mergedUnder(async (_w, crm) => [
    lastOf(crm),
    { name: 'x', crossDeviceOption: 'NONE', deviceOption: 'DEVICE' },
  ]),
  'merge-rules.deviceOption': inWorld(async (w) => {
    const crm = await makeCrm(w)
    return pair(['DEVICE', 'PROFILE_LINK'], (deviceOption) =>
      statusOf(w, '/v1/merge-rules', { ...lastOf(crm), deviceOption }),
    )
  }),
  'merge-rules.crossDeviceDataSourceIds': mergedUnder(async (w, crm) => [lastOf(crm), lastOf(await makeCrm(w))]),
  'merge-rules.dataExportRestrictions': refused(['PII']),

  'destinations.destinationId': chosenId('/v1/destinations', 'destinationId', async (w) => ({
    ...{ name: 'x', destinationType: 'S2S' },
    s2s: { url: `${w.partnerUrl}/x`, userDpid: await sourceId(w) },
  })),
  'destinations.name': text,
  'destinations.description': text,
  'destinations.destinationType': inWorld(async (w) => {
    const s2s = { url: `${w.partnerUrl}/x`, userDpid: await sourceId(w) }
    return pair(['S2S', 'PUSH'], (destinationType) =>
      statusOf(w, '/v1/destinations', { name: 'x', destinationType, s2s }),
    )
  }),
  'destinations.status': told(async (w, sid, dpid) => {
    const both = [await makeDestination(w, dpid), await makeDestination(w, dpid, { status: 'INACTIVE' })] as const
    for (const one of both) await mapTo(w, one, sid)
    return both
  }),
  'destinations.vendorId': told(async (w, sid, dpid) => {
    const both = [await makeDestination(w, dpid), await makeDestination(w, dpid, { vendorId: 99 })] as const
    for (const one of both) await mapTo(w, one, sid)
    return both
  }, withoutVendor),
  'destinations.dataExportLabels': refused(['PII']),

  'destinations/mappings.sid': inWorld(async (w) => {
    const destination = await makeDestination(w, await sourceId(w))
    const { sid } = await makeSegment(w, `${(await makeTrait(w)).sid}T`)
    return pair([sid, 1_800_000], (one) =>
      statusOf(w, `/v1/destinations/${destination.destinationId}/mappings`, { sid: one }),
    )
  }),
  'destinations/mappings.traitType': inWorld(async (w) => {
    const destination = await makeDestination(w, await sourceId(w))
    const { sid } = await makeSegment(w, `${(await makeTrait(w)).sid}T`)
    return pair(['TRAIT', 'SEGMENT'], (traitType) =>
      statusOf(w, `/v1/destinations/${destination.destinationId}/mappings`, { sid, traitType }),
    )
  }),
  'destinations/mappings.traitAlias': inWorld(async (w) => {
    const [source, trait] = [await makeSource(w), await makeTrait(w)]
    const { sid } = await makeSegment(w, `${trait.sid}T`)
    const both = [await makeDestination(w, source.dataSourceId), await makeDestination(w, source.dataSourceId)] as const
    await mapTo(w, both[0], sid, { traitAlias: 'shoes' })
    await mapTo(w, both[1], sid)
    await w.settled()
    await w.event(`${trait.key}=1&d_cid=${source.dataSourceId}%01${unique()}`)
    return pair(both, async ({ path }) => {
      const { body } = await until(() => w.received.find(({ url }) => url === path))
      return body.includes('"Segment_ID":"shoes"')
    })
  }),
  'destinations/mappings.startDate': told(async (w, sid, dpid) => {
    const both = [await makeDestination(w, dpid), await makeDestination(w, dpid)] as const
    await mapTo(w, both[0], sid, { startDate: dayFrom(0) })
    await mapTo(w, both[1], sid, { startDate: dayFrom(5) })
    return both
  }),
  'destinations/mappings.endDate': told(async (w, sid, dpid) => {
    const both = [await makeDestination(w, dpid), await makeDestination(w, dpid)] as const
    await mapTo(w, both[0], sid, { startDate: dayFrom(-9), endDate: dayFrom(5) })
    await mapTo(w, both[1], sid, { startDate: dayFrom(-9), endDate: dayFrom(-5) })
    return both
  }),

  'session.setupToken': inWorld(async (w) => {
    const link = await w.usher.newSetupLink()
    return pair(['wrong', link?.setupToken ?? ''], (setupToken) => statusOf(w, '/v1/session', { setupToken }))
  }),
  'test/clock.advanceMs': acts(async () => {
    await using w = await startWorld()
    return await pair([0, DAY_MS], async (advanceMs) =>
      Math.round(
        (Date.parse((await w.send('POST', '/v1/test/clock', { advanceMs })).body.now) - Date.now()) / 3_600_000,
      ),
    )
  }),
}
