import { useRouter } from '@tanstack/react-router'
import { useEffect } from 'react'

export const PAGE = 'page'

/** The keyboard goes on where the page begins, and not before the navigation. */
export const focusPage = (): void => document.getElementById(PAGE)?.focus({ preventScroll: true })

/** What led to a page is often gone with the last one, and the focus with it. */
export function useFocusOnNewPage(): void {
  const router = useRouter()
  useEffect(
    () =>
      router.subscribe('onRendered', ({ fromLocation, pathChanged }) => {
        const isLost = document.activeElement === document.body
        if (fromLocation !== undefined && pathChanged && isLost) focusPage()
      }),
    [router],
  )
}
