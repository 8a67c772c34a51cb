/** What the time line may be narrowed to; it stands in the address as `show`. */
export const STORY_KINDS = {
  all: ['entered', 'left', 'realized', 'synced', 'sent', 'told'],
  changes: ['entered', 'left'],
  traits: ['realized'],
  messages: ['sent', 'told'],
} as const
export type StoryKind = keyof typeof STORY_KINDS

export const isStoryKind = (value: unknown): value is StoryKind => Object.hasOwn(STORY_KINDS, String(value))
