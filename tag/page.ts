/** The page that the tag stands in: its script element and its console. */
export type Tag = { (...words: unknown[]): void; q?: ArrayLike<unknown>[]; loaded?: true }

interface TcData {
  readonly eventStatus?: string
  readonly gdprApplies?: boolean
  readonly tcString?: string
  readonly purpose?: { readonly consents?: Record<number, boolean> }
}
type Tcfapi = (command: string, version: number, callback: (data: TcData, ok: boolean) => void) => void

export type { TcData }

export const page = window as unknown as { usher?: Tag; __tcfapi?: Tcfapi }

const script = document.currentScript as HTMLScriptElement | null
/** Scheme, host and port the script came from; undefined where that cannot be told. */
export const edge = /^https?:\/\/[^/]+/.exec(script?.src ?? '')?.[0]
/** The `data-` attributes of the script element. */
export const settings: { readonly consent?: string; readonly cookieDomain?: string } = { ...script?.dataset }

const warned = new Set<string>()

export function warn(...words: unknown[]): void {
  console.warn('usher:', ...words)
}

/** For what would come again with each event. */
export function warnOnce(text: string): void {
  if (!warned.has(text)) warn(text)
  warned.add(text)
}

/** The same function, whose failure is a line in the console. */
export function guarded<Words extends unknown[]>(act: (...words: Words) => void): (...words: Words) => void {
  return (...words) => {
    try {
      act(...words)
    } catch (error) {
      warn(error)
    }
  }
}
