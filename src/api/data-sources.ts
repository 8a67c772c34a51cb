import { z } from 'zod'
import {
  DataSource,
  DataSourceDraft,
  DataSourceListQuery,
  ID_TYPES,
  IdList,
  IdType,
  listOf,
  objectId,
} from '../contract.ts'
import type { Catalog } from '../store/catalog/catalog.ts'
import type { StoredDataSource, DataSourceDraft as StoredDraft } from '../store/catalog/data-sources.ts'
import { BULK_BODY_BYTES_MAX, NoContent, PatchBody, patched, type Routes } from './app.ts'
import { authorship } from './authorship.ts'
import { sendList } from './list-answer.ts'
import { operationsOf } from './operation-words.ts'

const params = z.object({ dataSourceId: objectId })

/** Routes under `/v1/datasources`. Source: spec/rest-api.md section 8. */
export const dataSourceRoutes: Routes<{ catalog: Catalog }> = (app, { catalog }) => {
  const { dataSources } = catalog
  const view = (source: StoredDataSource) => renderDataSource(source, catalog.pid)
  const says = operationsOf('Data sources')

  app.get(
    '/v1/datasources',
    {
      schema: {
        ...says(
          'List data sources',
          'Everything as one array, or a page of it with `page` or `pageSize`. `includeThirdParty=false` leaves out the global sources, which are always there.',
        ),
        querystring: DataSourceListQuery,
        response: { 200: listOf(DataSource) },
      },
    },
    (request, reply) => {
      const { includeThirdParty, ...filter } = request.query
      const listing = dataSources.list({ ...filter, includeGlobal: includeThirdParty }, request.query)
      return sendList(reply, listing, request.query, (items) => items.map(view))
    },
  )

  app.get(
    '/v1/datasources/configurations/available-id-types',
    {
      schema: {
        ...says(
          'List the kinds of IDs',
          'What `idType` of a data source may be, with the sub-types that belong to each.',
        ),
        response: { 200: z.array(IdType) },
      },
    },
    async () =>
      ID_TYPES.map((idType) => ({
        idType,
        name: ID_TYPE_NAMES[idType],
        subIdTypes:
          idType === 'CROSS_DEVICE' ? (['CROSS_DEVICE_PERSON', 'CROSS_DEVICE_HOUSEHOLD'] as const).slice() : [],
      })),
  )

  app.get(
    '/v1/datasources/:dataSourceId',
    {
      schema: {
        ...says('Show a data source', 'All members of one data source, as they can be sent back with `PUT`.'),
        params,
        response: { 200: DataSource },
      },
    },
    async (request) => view(await dataSources.get(request.params.dataSourceId)),
  )

  app.post(
    '/v1/datasources',
    {
      schema: {
        ...says(
          'Create a data source',
          'The owner of IDs and traits. A migrating account may keep its own number in `dataSourceId`; one that is used answers 409, and one whose last owner is still leaving profiles too (`id_leaving`). The integration code, by which calls name it, belongs to one data source.',
        ),
        body: DataSourceDraft,
        response: { 201: DataSource },
      },
    },
    async (request, reply) => {
      const created = await dataSources.create(readDraft(request.body), request.caller.author)
      return reply.code(201).send(view(created))
    },
  )

  app.put(
    '/v1/datasources/:dataSourceId',
    {
      schema: {
        ...says(
          'Replace a data source',
          'What the body leaves out gets its default. The id and the members that the server sets stay.',
        ),
        params,
        body: DataSourceDraft,
        response: { 200: DataSource },
      },
    },
    async (request) => {
      const { dataSourceId } = request.params
      return view(await dataSources.replace(dataSourceId, readDraft(request.body), request.caller.author))
    },
  )

  app.patch(
    '/v1/datasources/:dataSourceId',
    {
      schema: {
        ...says('Change a data source', 'Only the members of the body change; the rest stays as it is shown.'),
        params,
        body: PatchBody,
        response: { 200: DataSource },
      },
    },
    async (request) => {
      const { params, body, caller } = request
      const next = (stored: StoredDataSource) => readDraft(patched(DataSourceDraft, view(stored), body))
      return view(await dataSources.revise(params.dataSourceId, next, caller.author))
    },
  )

  app.delete(
    '/v1/datasources/:dataSourceId',
    {
      schema: {
        ...says(
          'Delete a data source',
          'Answers 409 with their ids while traits, segments, merge rules or destinations use it. Its IDs go from every profile, and their own profiles with them, in the background; until then nothing is made under its id (409 `id_leaving`).',
        ),
        params,
        response: { 204: NoContent },
      },
    },
    async (request, reply) => {
      await dataSources.remove([request.params.dataSourceId])
      return reply.code(204).send()
    },
  )

  const bulk = {
    bodyLimit: BULK_BODY_BYTES_MAX,
    schema: {
      ...says('Delete several data sources', 'All of the listed ids or, when one cannot be deleted, none.'),
      body: IdList,
      response: { 204: NoContent },
    },
  }
  app.post('/v1/datasources/bulk-delete', bulk, async (request, reply) => {
    await dataSources.remove(request.body)
    return reply.code(204).send()
  })
}

const ID_TYPE_NAMES = {
  COOKIE: 'Cookie',
  DEVICE_ADVERTISING_ID: 'Device Advertising ID',
  CROSS_DEVICE: 'Cross Device',
} as const

function readDraft(body: DataSourceDraft): StoredDraft {
  const isCrossDevice = body.idType === 'CROSS_DEVICE'
  return {
    dataSourceId: body.dataSourceId,
    name: body.name,
    description: body.description,
    integrationCode: body.integrationCode,
    idType: body.idType,
    status: body.status,
    options: {
      subIdType: isCrossDevice ? (body.subIdType ?? 'CROSS_DEVICE_PERSON') : undefined,
      inboundS2S: body.inboundS2S,
      outboundS2S: body.outboundS2S,
      uniqueTraitIntegrationCodes: body.uniqueTraitIntegrationCodes,
      uniqueSegmentIntegrationCodes: body.uniqueSegmentIntegrationCodes,
      // On by default for cross-device sources [AUD-161].
      supportsAuthenticatedProfile: body.supportsAuthenticatedProfile ?? isCrossDevice,
      authenticatedProfileName: body.authenticatedProfileName,
      customerProfileDataRetentionSeconds: body.customerProfileDataRetention,
      redirectHosts: body.redirectHosts,
      sync: body.idSync,
    },
  }
}

/** Of what is not built it says so: nothing is shared, restricted or sampled, whatever an earlier version took. */
function renderDataSource(source: StoredDataSource, pid: number): DataSource {
  const { options } = source
  return {
    dataSourceId: source.dataSourceId,
    name: source.name,
    description: source.description ?? '',
    status: source.status,
    integrationCode: source.integrationCode ?? null,
    type: 'GENERAL',
    idType: source.idType,
    subIdType: options.subIdType ?? null,
    inboundS2S: options.inboundS2S,
    outboundS2S: options.outboundS2S,
    dataExportRestrictions: [],
    useAudienceManagerVisitorID: false,
    allowDataSharing: false,
    masterDataSourceIdProvider: false,
    uniqueTraitIntegrationCodes: options.uniqueTraitIntegrationCodes,
    uniqueSegmentIntegrationCodes: options.uniqueSegmentIntegrationCodes,
    marketingCloudVisitorIdVersion: 0,
    linkNamespace: false,
    allowDeviceGraphSharing: false,
    supportsAuthenticatedProfile: options.supportsAuthenticatedProfile,
    authenticatedProfileName:
      options.authenticatedProfileName ?? (options.supportsAuthenticatedProfile ? source.name : ''),
    deviceGraph: false,
    deviceGraphName: '',
    // Generated with the data source and read-only [AUD-166].
    customNamespaceId: source.dataSourceId,
    customNamespaceCode: source.integrationCode ?? `ds_${source.dataSourceId}`,
    customerProfileDataRetention: options.customerProfileDataRetentionSeconds,
    containerIds: [...(options.sync?.containerIds ?? [])],
    samplingEnabled: false,
    samplingStartTime: null,
    samplingEndTime: null,
    redirectHosts: [...options.redirectHosts],
    idSync: options.sync === undefined ? null : { ...options.sync, containerIds: [...options.sync.containerIds] },
    ...authorship(source, pid),
  }
}
