import { type HotkeyItem, useHotkeys } from '@mantine/hooks'

const LAYER = '[role="dialog"]'

// Before anything else hears the key: what closes on it is gone by the time the page hears it.
let isUnderLayer = false
window.addEventListener(
  'keydown',
  () => {
    isUnderLayer = document.querySelector(LAYER) !== null
  },
  { capture: true },
)

/**
 * Keys of a page or of the frame. A key belongs to the topmost layer: while a dialogue or a menu was open when it was
 * pressed, none of these hears it.
 * @param inFields heard while something is typed, too
 */
export function usePageKeys(keys: readonly (readonly [key: string, act: () => void])[], inFields = false): void {
  useHotkeys(
    keys.map(
      ([key, act]): HotkeyItem => [
        key,
        (event) => {
          if (isUnderLayer) return
          event.preventDefault()
          act()
        },
        { preventDefault: false },
      ],
    ),
    inFields ? [] : undefined,
  )
}
