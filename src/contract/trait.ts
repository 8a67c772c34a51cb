import { z } from 'zod'
import {
  anyNumber,
  authored,
  codeQuery,
  flag,
  folderIdField,
  integrationCodeDraft,
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
import { listParameters, repeated } from './list.ts'

/** Kinds a client may make; a folder trait comes with its folder [AUD-102]. */
export const TRAIT_TYPES = ['RULE_BASED_TRAIT', 'ON_BOARDED_TRAIT', 'ALGO_TRAIT', 'FOLDER_TRAIT'] as const

const RULE_LENGTH_MAX = 1_048_576
const TTL_DAYS_MAX = 36_500

const NO_MODELS = 'Models are not built yet: leave it out.'

/** [API-50] */
export const TraitDraft = z
  .object({
    sid: optional(objectId),
    name: nameField,
    description: optional(textField),
    comments: optional(textField),
    integrationCode: integrationCodeDraft,
    dataSourceId: objectId,
    folderId: folderIdField,
    traitType: z.enum(TRAIT_TYPES),
    traitRule: optional(z.string().max(RULE_LENGTH_MAX)).meta({ description: 'Rule-based traits only' }),
    type: optional(wholeNumber(0, 2 ** 31 - 1)).meta({ description: 'Event type; for people' }),
    categoryId: optional(wholeNumber(0, 2 ** 31 - 1)).meta({ description: 'Data category; for people' }),
    ttl: withDefault(wholeNumber(0, TTL_DAYS_MAX), 120).meta({ description: 'Days; 0: never expires' }),
    status: withDefault(statusDraft, 'ACTIVE'),
    algoModelId: notBuilt(optional(objectId), (id) => id === undefined, NO_MODELS),
    thresholdValue: notBuilt(optional(anyNumber), (value) => value === undefined, NO_MODELS),
  })
  .refine((draft) => draft.traitType !== 'RULE_BASED_TRAIT' || (draft.traitRule ?? '').trim() !== '', {
    path: ['traitRule'],
    message: 'A rule-based trait needs a rule.',
  })
export type TraitDraft = z.output<typeof TraitDraft>

/** Lists leave out the members that are optional here, unless `includeDetails` asks for them [API-41]. */
export const Trait = z.object({
  sid: z.int(),
  name: z.string(),
  description: z.string().nullable(),
  comments: z.string().nullable().optional(),
  integrationCode: z.string().nullable().optional(),
  dataSourceId: z.int(),
  folderId: z.int(),
  traitType: z.enum(TRAIT_TYPES),
  traitRule: z.string().nullable().optional(),
  traitRuleVersion: z.int().optional(),
  type: z.int().nullable().optional(),
  categoryId: z.int().nullable(),
  ttl: z.int().optional(),
  status,
  algoModelId: z.int().nullable(),
  thresholdValue: z.number().nullable(),
  backfillStatus: z.string().nullable(),
  ...authored,
})
export type Trait = z.infer<typeof Trait>

export const TraitListQuery = z.object({
  ...listParameters([
    'sid',
    'name',
    'description',
    'integrationCode',
    'dataSourceId',
    'folderId',
    'traitType',
    'ttl',
    'status',
    'createTime',
    'updateTime',
  ]),
  includeDetails: optional(flag),
  restrictType: repeated(z.enum(TRAIT_TYPES)),
  folderId: optional(folderIdField),
  dataSourceId: repeated(objectId),
  integrationCode: optional(codeQuery),
})

/** [API-49] */
export const TraitRuleVersion = z.object({
  traitRuleVersion: z.int(),
  traitRule: z.string(),
  crUID: z.int(),
  createTime: milliseconds,
})
