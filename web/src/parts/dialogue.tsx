import { Modal } from '@mantine/core'
import { type ReactNode, useEffect, useRef } from 'react'
import { useWords } from '../words/use-words.tsx'

interface DialogueProps {
  readonly title: string
  readonly opened: boolean
  readonly onClose: () => void
  readonly size?: string
  /** The content says by `data-autofocus` what is focused first; without it the title is, and Tab leads on from there. */
  readonly focusesContent?: boolean
  readonly children: ReactNode
}

/** One dialogue at a time; it is labelled by its heading, and Esc closes it. */
export function Dialogue({ title, opened, onClose, size = 'md', focusesContent = false, children }: DialogueProps) {
  return (
    // The library's own head would be a second banner of the page.
    <Modal opened={opened} onClose={onClose} size={size} withCloseButton={false}>
      <Head title={title} isFirst={!focusesContent} />
      {children}
    </Modal>
  )
}

function Head({ title, isFirst }: { readonly title: string; readonly isFirst: boolean }) {
  const { t } = useWords()
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    // A focused button that went away with its step would leave the keyboard outside of the dialogue.
    const content = heading.current?.closest('[role="dialog"]')
    const observer = new MutationObserver(() => {
      if (document.activeElement === document.body) heading.current?.focus()
    })
    if (content != null) observer.observe(content, { childList: true, subtree: true })
    return () => observer.disconnect()
  }, [])
  return (
    <div className="dialogue-head">
      <Modal.Title ref={heading} tabIndex={-1} data-autofocus={isFirst || undefined}>
        {title}
      </Modal.Title>
      <Modal.CloseButton aria-label={t('close')} />
    </div>
  )
}
