import type { UsherConfig } from '../config.ts'
import { isKeptTime, KEPT_TIMES } from '../lib/kept-time.ts'
import { isoTime } from '../model/time.ts'
import { exposureWarning } from './exposure.ts'

/**
 * What is to be said at a start of how this server is set up, a sentence each.
 * @param nowMs its clock
 * @param isDemo the demo is for trying: its switches are meant
 */
export function startWarnings(config: UsherConfig, nowMs: number, isDemo: boolean): readonly string[] {
  const exposed = exposureWarning(config)
  return [
    ...(exposed === undefined ? [] : [exposed]),
    ...(config.production || isDemo || !config.roles.includes('admin') ? [] : [OPEN_SWITCH]),
    ...(isKeptTime(nowMs) ? [] : [`The clock says ${isoTime(nowMs)}, and times are kept ${KEPT_TIMES}: ${TAKES_NONE}`]),
  ]
}

const OPEN_SWITCH =
  'POST /v1/test/clock is open to whoever holds the token, and moves the clock ahead until the next start: memberships end by it. ' +
  'For real use set NODE_ENV=production, which refuses test switches.'
const TAKES_NONE = 'no event is taken before it is set right.'
