import { Modal } from '@mantine/core'
import type { ReactNode } from 'react'
import { useWords } from '../words/use-words.tsx'

interface DialogueProps {
  readonly title: string
  readonly opened: boolean
  readonly onClose: () => void
  readonly size?: string
  readonly children: ReactNode
}

/** One dialogue at a time; it is labelled by its heading, and Esc closes it. */
export function Dialogue({ title, opened, onClose, size = 'md', children }: DialogueProps) {
  const { t } = useWords()
  return (
    // The library's own head would be a second banner of the page.
    <Modal opened={opened} onClose={onClose} size={size} withCloseButton={false}>
      <div className="dialogue-head">
        <Modal.Title>{title}</Modal.Title>
        <Modal.CloseButton aria-label={t('close')} />
      </div>
      {children}
    </Modal>
  )
}
