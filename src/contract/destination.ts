import { z } from 'zod'
import {
  authored,
  codeField,
  flag,
  isoDate,
  milliseconds,
  nameField,
  notBuilt,
  objectId,
  optional,
  status,
  statusDraft,
  textField,
  wholeNumber,
  withDefault,
} from './fields.ts'
import { listParameters } from './list.ts'

/**
 * Without the settings: they are a member of the name that the type gives it (`s2s`), and judged by the type alone. URL
 * (`PUSH`) and cookie (`ADS`) destinations are refused until they are built [API-86].
 */
export const DestinationDraft = z.object({
  destinationId: optional(objectId).meta({ description: 'The next free one when not given' }),
  name: nameField.meta({ description: 'As people find it in lists' }),
  description: optional(textField).meta({ description: 'For people, of several lines where wanted' }),
  destinationType: z.preprocess(
    (type) => (typeof type === 'string' ? type.toUpperCase() : type),
    z.string().min(1).max(32).meta({ description: 'One of `GET /v1/destination-types`' }),
  ),
  status: withDefault(statusDraft, 'ACTIVE').meta({
    'x-default': 'ACTIVE',
    description: 'INACTIVE: nothing is sent to it, and what it is owed waits',
  }),
  vendorId: optional(wholeNumber(1, 65_535)).meta({
    description: 'Vendor id in the TCF list: data goes out only with its consent',
  }),
  dataExportLabels: notBuilt(
    withDefault(z.array(z.string().max(64)).max(20), []),
    (labels) => labels.length === 0,
    'Data export labels are not built yet and would block nothing: leave them out.',
  ),
})
export type DestinationDraft = z.output<typeof DestinationDraft>

/** [API-90]; `mappingId` repeats `destinationMappingId`. */
export const Mapping = z.object({
  destinationMappingId: z.int(),
  mappingId: z.int(),
  destinationId: z.int(),
  sid: z.int(),
  traitType: z.literal('SEGMENT'),
  traitValue: z.int(),
  elementName: z.string(),
  elementDescription: z.string().nullable(),
  elementStatus: z.enum(['active', 'inactive', 'deleted']),
  startDate: isoDate,
  endDate: isoDate.nullable(),
  priority: z.int().nullable(),
  url: z.string().nullable(),
  secureUrl: z.string().nullable(),
  tagCode: z.string().nullable(),
  secureTagCode: z.string().nullable(),
  traitAlias: z.string(),
  valueAlias: z.string().nullable(),
  createTime: milliseconds,
  updateTime: milliseconds,
  crUID: z.int(),
  upUID: z.int(),
})
export type Mapping = z.infer<typeof Mapping>

/** Settings show each secret as `{"set": true, "last4": "…"}` [SEC-63]. Lists leave out them and `mappings`. */
export const Destination = z.object({
  destinationId: z.int(),
  name: z.string(),
  description: z.string().nullable(),
  destinationType: z.string(),
  status,
  vendorId: z.int().nullable(),
  mappings: z.array(Mapping).nullable().optional(),
  ...authored,
})
export type Destination = z.infer<typeof Destination>

/** [API-76] */
export const DestinationListQuery = z.object({
  ...listParameters(['destinationId', 'name', 'description', 'destinationType', 'status', 'createTime', 'updateTime']),
  containsSegment: optional(objectId),
})
export const DestinationQuery = z.object({ includeMappings: optional(flag) })

/** [API-93]; dates are UTC days and stored as sent. */
export const MappingDraft = z
  .object({
    sid: objectId,
    traitType: optional(z.enum(['SEGMENT'])),
    traitAlias: optional(codeField.min(1)).meta({
      description: 'What the partner calls the segment; its id when not given',
    }),
    startDate: optional(isoDate).meta({ description: 'Today when not given' }),
    endDate: optional(isoDate).meta({ description: 'Last day; never ends when not given' }),
  })
  .refine((draft) => draft.startDate === undefined || draft.endDate === undefined || draft.startDate <= draft.endDate, {
    path: ['endDate'],
    message: 'It ends before it starts.',
  })
export type MappingDraft = z.output<typeof MappingDraft>

export const MappingListQuery = z.object(
  listParameters(['destinationMappingId', 'sid', 'elementName', 'traitAlias', 'startDate', 'endDate']),
)
