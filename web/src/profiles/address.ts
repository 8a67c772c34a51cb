/** What the time line may be narrowed to; it stands in the address as `show`. */
export const STORY_KINDS = {
  all: ['entered', 'left', 'realized', 'synced', 'sent', 'told'],
  changes: ['entered', 'left'],
  traits: ['realized'],
  messages: ['sent', 'told'],
} as const
export type StoryKind = keyof typeof STORY_KINDS

const isStoryKind = (value: unknown): value is StoryKind => Object.hasOwn(STORY_KINDS, String(value))

export interface ProfileAddress {
  readonly segmentId?: number
  readonly show?: StoryKind
}

/** What cannot be meant is left out. */
export const readProfileAddress = ({ segmentId, show }: Readonly<Record<string, unknown>>): ProfileAddress => ({
  ...(/^\d{1,10}$/.test(String(segmentId)) ? { segmentId: Number(segmentId) } : {}),
  ...(isStoryKind(show) ? { show } : {}),
})
