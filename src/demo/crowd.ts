import type { HttpClient } from '../lib/http-client.ts'
import { createVisitor, type Visitor, type VisitorHabits, type VisitorStep } from './visitor.ts'

/** A steady stream of generated visitors: some new, most in the middle of their visit. */
export interface Crowd {
  /** Steps taken so far, by kind; what failed is under `failed`. */
  readonly counts: ReadonlyMap<VisitorStep | 'failed', number>
  stop(): Promise<void>
}

export interface CrowdOptions {
  readonly http: HttpClient
  readonly edgeUrl: string
  /** Calls a second, more than 0. */
  readonly rate: number
  /** Numbers from 0 to 1. */
  readonly random: () => number
}

const VISITORS_MAX = 40
const NAMES =
  'ada bo cleo dan eva finn gil hana ida jon kim lea mo nia otto pia quin rosa sam tess uma vic wen yan zoe'.split(' ')

export function startCrowd({ http, edgeUrl, rate, random }: CrowdOptions): Crowd {
  const counts = new Map<VisitorStep | 'failed', number>()
  const visitors: Visitor[] = []
  const running = new Set<Promise<void>>()
  let made = 0

  const arrive = (): Visitor => {
    const name = NAMES[made++ % NAMES.length]
    const number = Math.floor(random() * 0x10000)
      .toString(16)
      .padStart(4, '0')
    const visitor = createVisitor(http, edgeUrl, `${name}-${number}`, drawHabits(random), random)
    visitors.push(visitor)
    return visitor
  }

  const takeOne = async () => {
    const isNew = visitors.length === 0 || (visitors.length < VISITORS_MAX && random() < 0.2)
    const visitor = isNew ? arrive() : visitors[Math.floor(random() * visitors.length)]
    const step = await visitor?.step().catch(() => 'failed' as const)
    if (step !== undefined) counts.set(step, (counts.get(step) ?? 0) + 1)
    else if (visitor !== undefined) visitors.splice(visitors.indexOf(visitor), 1)
  }

  const timer = setInterval(() => {
    // Never more at once than a second's worth: a slow server slows the crowd.
    if (running.size >= Math.max(5, rate)) return
    const one = takeOne().finally(() => running.delete(one))
    running.add(one)
  }, 1000 / rate)

  return {
    counts,
    async stop() {
      clearInterval(timer)
      await Promise.all(running)
    },
  }
}

export function drawHabits(random: () => number): VisitorHabits {
  const chance = random()
  const fillsBasket = random() < 0.5
  return {
    refusesConsent: random() < 0.1,
    optsOut: random() < 0.05,
    category: chance < 0.5 ? 'shoes' : chance < 0.8 ? 'tents' : 'jackets',
    looks: 1 + Math.floor(random() * 3),
    fillsBasket,
    orders: fillsBasket && random() < 0.5,
  }
}
