import { z } from 'zod'
import { isOpenToAll } from '../lib/public-suffix.ts'
import {
  anyCase,
  authored,
  codeQuery,
  exportRestrictions,
  flag,
  integrationCodeDraft,
  milliseconds,
  nameField,
  notBuilt,
  objectId,
  optional,
  optionalNameField,
  status,
  statusDraft,
  textField,
  wholeNumber,
  withDefault,
} from './fields.ts'
import { listParameters } from './list.ts'

export const ID_TYPES = ['COOKIE', 'DEVICE_ADVERTISING_ID', 'CROSS_DEVICE'] as const
const SUB_ID_TYPES = ['CROSS_DEVICE_PERSON', 'CROSS_DEVICE_HOUSEHOLD'] as const
const MONTH_SECONDS = 2_592_000
const RETENTION_SECONDS = 24 * MONTH_SECONDS

const isOff = (value: boolean | undefined) => value !== true
/** Sharing between the customers of one platform; an installation serves one organisation [SEC-68]. */
const sharing = (what: string) =>
  notBuilt(withDefault(flag, false), isOff, `${what}: an installation serves one organisation. Send false.`)
const graph = 'Device graphs are not built yet: leave deviceGraph and deviceGraphName out.'

/** Exact host, or `*.` and a domain that belongs to one party [SEC-13]. */
const redirectHost = z
  .string()
  .max(255)
  .regex(/^(\*\.)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/, 'is not a host name')
  .refine((host) => !isOpenToAll(host), 'covers hosts of everybody: name a domain that one party registered')

/** An outbound ID sync to offer to pages ([OUT-15], [COL-168]). */
const syncFields = {
  url: z
    .string()
    .min(1)
    .max(2_048)
    .regex(/^(https?:)?\/\//, 'begins with https:// or //')
    .regex(/^[^\s\p{C}]*$/u, 'holds white space or an invisible character'),
  tag: z.enum(['img', 'iframe']),
  intervalMinutes: z.int().min(1),
  syncOnPage: z.boolean(),
  containerIds: z.array(z.int()),
}
const IdSync = z.object(syncFields)
const IdSyncDraft = z.object({
  url: syncFields.url,
  tag: withDefault(syncFields.tag, 'img'),
  intervalMinutes: withDefault(wholeNumber(1, 5_256_000), 20_160),
  syncOnPage: withDefault(flag, false),
  containerIds: withDefault(z.array(wholeNumber(0, 2 ** 31 - 1)).max(100), []),
})

/** [API-72], [API-75], [AUD-160]..[AUD-172]; `redirectHosts` and `idSync` are ours. */
export const DataSourceDraft = z
  .object({
    dataSourceId: optional(objectId),
    name: nameField,
    description: optional(textField),
    integrationCode: integrationCodeDraft,
    status: withDefault(statusDraft, 'ACTIVE'),
    idType: withDefault(anyCase(ID_TYPES), 'COOKIE'),
    subIdType: optional(anyCase(SUB_ID_TYPES)),
    inboundS2S: withDefault(flag, false),
    outboundS2S: withDefault(flag, false),
    dataExportRestrictions: exportRestrictions,
    inboundIdType: notBuilt(
      optional(z.string().max(64)),
      (type) => type === undefined || type === 'CUSTOMER_ID',
      'Inbound files are not built yet, so that only CUSTOMER_ID is taken.',
    ),
    useAudienceManagerVisitorID: notBuilt(
      withDefault(flag, false),
      isOff,
      'Inbound files keyed by UUID are not built yet: send false.',
    ),
    marketingCloudVisitorIdVersion: notBuilt(
      withDefault(wholeNumber(0, 1), 0),
      (version) => version === 0,
      'Inbound files keyed by ECID are not built yet: send 0.',
    ),
    allowDataSharing: sharing('There is nobody to share with'),
    masterDataSourceIdProvider: sharing('There is no other customer to provide IDs to'),
    uniqueTraitIntegrationCodes: withDefault(flag, false),
    uniqueSegmentIntegrationCodes: withDefault(flag, false),
    allowDeviceGraphSharing: sharing('There is nobody to share a device graph with'),
    supportsAuthenticatedProfile: optional(flag),
    authenticatedProfileName: optional(optionalNameField),
    deviceGraph: notBuilt(withDefault(flag, false), isOff, graph),
    deviceGraphName: notBuilt(optional(optionalNameField), (name) => name === undefined || name === '', graph),
    customerProfileDataRetention: withDefault(wholeNumber(MONTH_SECONDS, 60 * MONTH_SECONDS), RETENTION_SECONDS).meta({
      description:
        'Seconds after its last activity that an ID of a person is kept, its profile with it; whole days, rounded up',
    }),
    samplingEnabled: notBuilt(
      withDefault(flag, false),
      isOff,
      'Errors of inbound files are sampled once there are such files, which are not built yet: send false.',
    ),
    redirectHosts: withDefault(z.array(redirectHost).max(100), []),
    idSync: optional(IdSyncDraft),
  })
  .superRefine((draft, context) => {
    const refuse = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message })
    if (draft.idType === 'CROSS_DEVICE') {
      if (draft.integrationCode === undefined)
        refuse('integrationCode', 'A cross-device data source needs an integration code.')
      return
    }
    const only = (path: string) => refuse(path, 'Is for data sources of type CROSS_DEVICE only.')
    if (draft.subIdType !== undefined) only('subIdType')
    if (draft.supportsAuthenticatedProfile === true) only('supportsAuthenticatedProfile')
    if ((draft.authenticatedProfileName ?? '') !== '') only('authenticatedProfileName')
    if (draft.customerProfileDataRetention !== RETENTION_SECONDS)
      refuse(
        'customerProfileDataRetention',
        'Is for data sources of type CROSS_DEVICE only; IDs of devices and cookies are kept for 120 days.',
      )
  })
export type DataSourceDraft = z.output<typeof DataSourceDraft>

export const DataSource = z.object({
  dataSourceId: z.int(),
  name: z.string(),
  description: z.string(),
  status,
  integrationCode: z.string().nullable(),
  type: z.string(),
  idType: z.enum(ID_TYPES),
  subIdType: z.enum(SUB_ID_TYPES).nullable(),
  inboundS2S: z.boolean(),
  outboundS2S: z.boolean(),
  dataExportRestrictions: z.array(z.string()),
  useAudienceManagerVisitorID: z.boolean(),
  allowDataSharing: z.boolean(),
  masterDataSourceIdProvider: z.boolean(),
  uniqueTraitIntegrationCodes: z.boolean(),
  uniqueSegmentIntegrationCodes: z.boolean(),
  marketingCloudVisitorIdVersion: z.int(),
  linkNamespace: z.boolean(),
  allowDeviceGraphSharing: z.boolean(),
  supportsAuthenticatedProfile: z.boolean(),
  authenticatedProfileName: z.string(),
  deviceGraph: z.boolean(),
  deviceGraphName: z.string(),
  customNamespaceId: z.int(),
  customNamespaceCode: z.string(),
  customerProfileDataRetention: z.int().meta({ description: 'Seconds' }),
  containerIds: z.array(z.int()),
  samplingEnabled: z.boolean(),
  samplingStartTime: milliseconds.nullable(),
  samplingEndTime: milliseconds.nullable(),
  redirectHosts: z.array(z.string()),
  idSync: IdSync.nullable(),
  ...authored,
})
export type DataSource = z.infer<typeof DataSource>

/** [API-70] */
export const DataSourceListQuery = z.object({
  ...listParameters([
    'dataSourceId',
    'name',
    'description',
    'integrationCode',
    'idType',
    'status',
    'createTime',
    'updateTime',
  ]),
  integrationCode: optional(codeQuery),
  inboundOnly: optional(flag),
  outboundOnly: optional(flag),
  includeThirdParty: withDefault(flag, true).meta({ description: 'false leaves out the global data sources' }),
})

export const IdType = z.object({
  idType: z.enum(ID_TYPES),
  name: z.string(),
  subIdTypes: z.array(z.enum(SUB_ID_TYPES)),
})
