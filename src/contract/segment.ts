import { z } from 'zod'
import {
  authored,
  codeQuery,
  flag,
  folderIdField,
  integrationCodeDraft,
  nameField,
  objectId,
  optional,
  status,
  statusDraft,
  textField,
  wholeNumber,
  withDefault,
} from './fields.ts'
import { listParameters, repeated } from './list.ts'

/** [API-55], [API-62] */
export const SegmentDraft = z.object({
  sid: optional(objectId),
  name: nameField,
  description: optional(textField),
  integrationCode: integrationCodeDraft,
  segmentRule: z.string().min(1).max(1_048_576),
  dataSourceId: objectId,
  mergeRuleDataSourceId: optional(objectId).meta({ description: 'Profile merge rule; the default one when not given' }),
  folderId: folderIdField,
  status: withDefault(statusDraft, 'ACTIVE').meta({ description: 'INACTIVE: paused' }),
})
export type SegmentDraft = z.output<typeof SegmentDraft>

export const Segment = z.object({
  sid: z.int(),
  name: z.string(),
  description: z.string().nullable(),
  integrationCode: z.string().nullable(),
  segmentRule: z.string(),
  dataSourceId: z.int(),
  mergeRuleDataSourceId: z.int(),
  folderId: z.int(),
  status,
  inUse: z.boolean().optional().meta({ description: 'Mapped to a destination; with includeInUseStatus' }),
  traitDataSourceIds: z.array(z.int()).optional().meta({ description: 'With includeTraitDataSourceIds' }),
  traits: z.array(z.int()).optional().meta({ description: 'Traits that the rule names; with includeExprTree' }),
  codeViewOnly: z
    .boolean()
    .optional()
    .meta({ description: 'More traits than the visual builder shows; with includeExprTree' }),
  expressionTree: z.unknown().optional().meta({ description: 'The parsed rule; with includeExprTree' }),
  ...authored,
})
export type Segment = z.infer<typeof Segment>

const segmentExtras = { includeTraitDataSourceIds: optional(flag), includeInUseStatus: optional(flag) }

/** [API-52] */
export const SegmentListQuery = z.object({
  ...listParameters([
    'sid',
    'name',
    'description',
    'integrationCode',
    'dataSourceId',
    'mergeRuleDataSourceId',
    'folderId',
    'status',
    'createTime',
    'updateTime',
  ]),
  ...segmentExtras,
  containsTrait: optional(objectId),
  folderId: optional(folderIdField),
  dataSourceId: repeated(objectId),
  mergeRuleDataSourceId: optional(objectId),
  integrationCode: optional(codeQuery),
  status: optional(statusDraft),
  updatedSince: optional(wholeNumber(0, 9_999_999_999_999)).meta({
    description: 'Unix time in seconds; from 10^11 on, milliseconds',
  }),
})

/** [API-53] */
export const SegmentQuery = z.object({ ...segmentExtras, includeExprTree: optional(flag) })

/** [API-47] */
export const MergeRuleReplacement = z.object({
  existingMergeRuleDataSourceId: objectId,
  replaceWithMergeRuleDataSourceId: objectId,
})
