import type { Page } from 'playwright-core'

/** Words of at most so many letters have room in any column, so none of them is ever broken. */
const LETTERS_MAX = 20

/** Words that begin on one line and end on another. Wire values, which have no words, are left out. */
export function brokenWords(page: Page): Promise<string[]> {
  return page.evaluate(`(() => {
    const broken = []
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
    while (texts.nextNode()) {
      const node = texts.currentNode
      const parent = node.parentElement
      if (parent === null || parent.closest('.mono, code, pre, kbd, .hidden, script, style') !== null) continue
      for (const { 0: word, index } of node.data.matchAll(/[\\p{L}\\p{N}]+/gu)) {
        if (word.length > ${LETTERS_MAX}) continue
        const range = document.createRange()
        range.setStart(node, index)
        range.setEnd(node, index + word.length)
        const tops = new Set([...range.getClientRects()].map(({ top }) => Math.round(top)))
        if (tops.size > 1) broken.push(word + ' in: ' + node.data.slice(0, 60))
      }
    }
    return broken
  })()`)
}
