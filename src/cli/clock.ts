import type { ClockView } from '../contract.ts'
import { isKeptTime, KEPT_TIMES } from '../lib/kept-time.ts'
import { type ClientOptions, findServer } from './find-server.ts'

/** `usher clock`: how far the running server relies on the machine's clock; with `--confirm`, that it is right [SEC-82]. */
export async function clock(options: ClientOptions & { readonly confirm?: boolean }): Promise<void> {
  const server = findServer(options)
  try {
    const view = (await (options.confirm === true
      ? server.api.post('/v1/clock/confirm', undefined)
      : server.api.get('/v1/clock'))) as ClockView
    process.stdout.write(options.json === true ? `${JSON.stringify(view, null, 2)}\n` : renderClock(view))
  } finally {
    server.close()
  }
}

const SAYS: Readonly<Record<ClockView['state'], string>> = {
  trusted: 'The clock is trusted.',
  held: 'For three minutes time goes on as if it had not.',
  waiting: 'Nothing expires by the new time until it was steady for an hour.',
  followed: 'Things expire by the new time; nothing is deleted for its age yet.',
}

export function renderClock({ state, now, machine, leapSeconds, since, offsetSeconds }: ClockView): string {
  const moved =
    offsetSeconds === 0
      ? ''
      : `Usher's time is moved ${describe(Math.abs(offsetSeconds))} ${offsetSeconds < 0 ? 'back' : 'ahead'} by the test switch (USHER_CLOCK_OFFSET_MS, POST /v1/test/clock).\n`
  const times = `Usher    ${now}\nmachine  ${machine}\n${moved}`
  if (!isKeptTime(Date.parse(machine) + offsetSeconds * 1000))
    return `${times}Times are kept ${KEPT_TIMES}: ${state === 'held' ? 'in three minutes at the latest ' : ''}events are answered 503. Set the clock right; everything goes on by itself.\n`
  if (state === 'trusted') return `${times}${SAYS.trusted}\n`
  const far = `${describe(Math.abs(leapSeconds))} ${leapSeconds < 0 ? 'back' : 'ahead'}`
  const lines = [
    `The clock of this machine leapt ${far}${since === null ? '' : ` at ${since}`}. ${SAYS[state]}`,
    'If it is right now: usher clock --confirm. If not: set it right; then all is as it was.',
  ]
  return `${times}${lines.join('\n')}\n`
}

function describe(seconds: number): string {
  if (seconds >= 2 * 86_400) return `${Math.round(seconds / 86_400)} days`
  if (seconds >= 2 * 3_600) return `${Math.round(seconds / 3_600)} hours`
  return seconds < 60 ? `${seconds} s` : `${Math.round(seconds / 60)} minutes`
}
