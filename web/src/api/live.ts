import { createContext, useEffect, useState } from 'react'
import type { LiveRates } from './shapes.ts'

export interface Live {
  /** `lost` after the stream broke and until it is back; the browser tries again by itself. */
  readonly connection: 'opening' | 'open' | 'lost'
  readonly rates: LiveRates | undefined
  /** When something last arrived. */
  readonly lastMs: number | undefined
}

const MOVE_AT_MOST_EVERY_MS = 1000

/** The browser gives up where the server answers with an error; then we ask again. */
const ASK_AGAIN_MS = 5000

export interface LiveListener {
  /** Something happened. */
  readonly onNews: () => void
  /** The server refused the stream: the session may have ended. */
  readonly onRefused: () => void
  /** The stream is there again: what was asked meanwhile may not have been answered. */
  readonly onBack: () => void
}

/** The server-sent events of `GET /v1/live`, at most one change a second [OPS-45]. @param listener the same object each time */
export function useLive(listener: LiveListener): Live {
  const [live, setLive] = useState<Live>({ connection: 'opening', rates: undefined, lastMs: undefined })
  useEffect(() => {
    let source: EventSource
    let timer: ReturnType<typeof setTimeout> | undefined
    let movedMs = 0
    let isLost = false
    const open = () => {
      source = new EventSource('/v1/live')
      source.onopen = () => {
        setLive((before) => ({ ...before, connection: 'open', lastMs: Date.now() }))
        if (isLost) listener.onBack()
        isLost = false
      }
      source.onerror = () => {
        isLost = true
        setLive((before) => ({ ...before, connection: 'lost' }))
        if (source.readyState !== EventSource.CLOSED) return
        listener.onRefused()
        timer = setTimeout(open, ASK_AGAIN_MS)
      }
      source.addEventListener('rates', (event) => {
        if (Date.now() - movedMs < MOVE_AT_MOST_EVERY_MS) return
        movedMs = Date.now()
        setLive({ connection: 'open', rates: JSON.parse(event.data) as LiveRates, lastMs: movedMs })
      })
      for (const kind of ['event', 'membership', 'delivery']) source.addEventListener(kind, listener.onNews)
    }
    open()
    return () => {
      clearTimeout(timer)
      source.close()
    }
  }, [listener])
  return live
}

export const LiveContext = createContext<Live>({ connection: 'opening', rates: undefined, lastMs: undefined })
