import { z } from 'zod'
import { EVALUATED_OPTIONS, isEvaluated, MERGE_OPTIONS } from '../model/merge-options.ts'
import { authored, exportRestrictions, flag, nameField, objectId, optional, textField, withDefault } from './fields.ts'
import { listParameters } from './list.ts'

const CROSS_DEVICE_OPTIONS = ['NONE', 'CURRENT', 'LAST', 'ALL'] as const
const DEVICE_OPTIONS = ['NONE', 'DEVICE', 'PROFILE_LINK', 'EXTERNAL'] as const

/** [API-63], [AUD-199], [AUD-201], [AUD-356] */
export const MergeRuleDraft = z
  .object({
    mergeRuleDataSourceId: optional(objectId),
    name: nameField,
    description: optional(textField),
    isDefault: withDefault(flag, false),
    crossDeviceOption: z.enum(CROSS_DEVICE_OPTIONS),
    deviceOption: withDefault(z.enum(DEVICE_OPTIONS), 'NONE'),
    crossDeviceDataSourceIds: withDefault(z.array(objectId).max(3), []),
    dataExportRestrictions: exportRestrictions,
  })
  .superRefine((draft, context) => {
    const refuse = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message })
    const { crossDeviceOption, deviceOption } = draft
    const allowed = MERGE_OPTIONS[crossDeviceOption]
    if (!allowed.includes(deviceOption)) {
      refuse('deviceOption', `With crossDeviceOption ${crossDeviceOption} it is one of ${allowed.join(', ')}.`)
    } else if (!isEvaluated(draft)) {
      // At the option that stands in the way: nobody would ever be in a segment under such a rule.
      const isOtherOption = crossDeviceOption === 'CURRENT' || crossDeviceOption === 'ALL'
      const [path, value] = isOtherOption ? ['crossDeviceOption', crossDeviceOption] : ['deviceOption', deviceOption]
      refuse(path, `${value} is not built yet. This version evaluates crossDeviceOption ${EVALUATED_OPTIONS}.`)
    }
    const count = draft.crossDeviceDataSourceIds.length
    if (new Set(draft.crossDeviceDataSourceIds).size < count)
      refuse('crossDeviceDataSourceIds', 'A data source is named twice.')
    if (draft.crossDeviceOption === 'NONE' && count > 0)
      refuse('crossDeviceDataSourceIds', 'Without a cross-device option no data source is named.')
    if (draft.crossDeviceOption !== 'NONE' && count === 0)
      refuse('crossDeviceDataSourceIds', 'Name at least one cross-device data source.')
    if (draft.deviceOption === 'PROFILE_LINK' && count > 1)
      refuse('crossDeviceDataSourceIds', 'A profile link takes exactly one data source.')
  })

export const MergeRule = z.object({
  mergeRuleDataSourceId: z.int(),
  name: z.string(),
  description: z.string().nullable(),
  isDefault: z.boolean(),
  crossDeviceOption: z.enum(CROSS_DEVICE_OPTIONS),
  deviceOption: z.enum(DEVICE_OPTIONS),
  crossDeviceDataSourceIds: z.array(z.int()),
  dataExportRestrictions: z.array(z.string()),
  ...authored,
})
export type MergeRule = z.infer<typeof MergeRule>

export const MergeRuleListQuery = z.object(
  listParameters(['mergeRuleDataSourceId', 'name', 'createTime', 'updateTime']),
)
