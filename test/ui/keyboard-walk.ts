import type { Page } from 'playwright-core'

/** One stop of the Tab key. */
export interface Stop {
  readonly name: string
  /** At least two pixels of outline, on the element itself or on the label that stands for it. */
  readonly isMarked: boolean
  /** In the window, with a size, and not behind anything else. */
  readonly isSeen: boolean
  readonly isInDialogue: boolean
}

const PRESSES_MAX = 150

/** Puts the focus before everything else on the page. */
export async function toTheStart(page: Page): Promise<void> {
  await page.evaluate(`(() => {
    const start = document.createElement('span')
    start.tabIndex = -1
    document.body.prepend(start)
    start.focus()
  })()`)
}

/** Presses Tab from where the focus is until it has been everywhere. @throws Error when that takes more than 150 presses */
export async function walk(page: Page): Promise<Stop[]> {
  const stops: Stop[] = []
  await page.evaluate('window.walked = new Set()')
  for (let press = 0; press < PRESSES_MAX; press++) {
    await page.keyboard.press('Tab')
    const stop = (await page.evaluate(LOOK)) as Stop | null
    if (stop === null) return stops
    stops.push(stop)
  }
  throw new Error(`after ${PRESSES_MAX} presses of Tab the walk was not over; the last stop was ${stops.at(-1)?.name}`)
}

/** In the page: what has the focus now; null when nothing has, or something for the second time. */
const LOOK = `(() => {
  const element = document.activeElement
  if (element === null || element === document.body || walked.has(element)) return null
  walked.add(element)
  const marks = [element, element.parentElement, element.nextElementSibling, ...(element.labels ?? [])]
  const isMarked = marks.some((one) => {
    if (one === null) return false
    const { outlineStyle, outlineWidth } = getComputedStyle(one)
    return outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2
  })
  const shown = element.labels?.length > 0 && element.getBoundingClientRect().width < 3 ? element.labels[0] : element
  const { left, top, width, height } = shown.getClientRects()[0] ?? shown.getBoundingClientRect()
  const there = document.elementFromPoint(left + width / 2, top + height / 2)
  const isSeen = width > 0 && height > 0 && there !== null && (shown.contains(there) || there.contains(shown))
  const name = element.ariaLabel || element.labels?.[0]?.innerText || element.innerText || element.placeholder || element.tagName
  return { name: name.replace(/\\s+/g, ' ').trim(), isMarked, isSeen, isInDialogue: element.closest('[role="dialog"]') !== null }
})()`
