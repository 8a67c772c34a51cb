import type { OverviewWindow } from '../api/shapes.ts'

const KEPT_AS = 'usher-window'

/** The window chosen last in this tab, for an address that names none. */
export const keptWindow = (): OverviewWindow => (sessionStorage.getItem(KEPT_AS) === '1h' ? '1h' : '24h')
export const keepWindow = (window: OverviewWindow): void => sessionStorage.setItem(KEPT_AS, window)

/** What cannot be meant is left out. */
export const readOverviewAddress = ({ window }: Readonly<Record<string, unknown>>): { window?: OverviewWindow } =>
  window === '1h' || window === '24h' ? { window } : {}
