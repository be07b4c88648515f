import { MAX_SOCKETS } from '../../worker/src/core/values/socket-limits.ts'
import { processorMicros } from '../load/process.ts'
import { quantile } from '../load/statistics.ts'
import type { Server } from '../servers/server.ts'
import { deliver } from './audience.ts'
import { stall } from './stalled.ts'

/** The numbers of listeners. The product serves no more sockets of one space than its limit. */
export const LISTENERS = [50, Math.min(1000, MAX_SOCKETS)]

/** The delays of one round, ms, and what they took of the server. */
export interface Round {
  readonly ackP50: number
  readonly ackP99: number
  readonly lastP50: number
  readonly lastP99: number
  readonly cpuMicrosPerMessage: number
}

export interface FannedOut {
  readonly server: string
  readonly listeners: number
  readonly rounds: readonly Round[]
}

export interface Rivals {
  readonly product: Server
  /** The bare broadcast. */
  readonly bare: Server
}

/** Measures the product, the product beside a listener that reads nothing, and the bare broadcast, in turn. */
export async function fanOut(
  { product, bare }: Rivals,
  { listeners, rounds, pushes }: { listeners: number; rounds: number; pushes: number },
): Promise<readonly FannedOut[]> {
  const found = new Map<string, Round[]>()
  for (let round = 0; round <= rounds; round++) {
    const space = `listeners-${listeners}-${round}`
    const session = await product.admit(space)
    const alone = { url: product.url, space, session, listeners, pushes }
    const turns: Record<string, () => Promise<Round>> = {
      [bare.name]: () => measure(bare, { ...alone, url: bare.url, session: null }),
      [product.name]: () => measure(product, alone),
      [`${product.name} beside a stalled reader`]: () => besideStalled(product, alone),
    }
    for (const [name, turn] of Object.entries(turns)) {
      const measured = await turn()
      if (round > 0) found.set(name, [...(found.get(name) ?? []), measured])
    }
  }
  return [...found].map(([server, measured]) => ({ server, listeners, rounds: measured }))
}

type Audience = Parameters<typeof deliver>[0]

/** One of the listeners does not read. The service cannot know that yet. */
async function besideStalled(product: Server, audience: Audience): Promise<Round> {
  const stalled = await stall(audience.url, audience.session ?? '')
  const round = await measure(product, { ...audience, listeners: audience.listeners - 1 })
  stalled.leave()
  return round
}

async function measure({ pid }: Server, audience: Audience): Promise<Round> {
  const before = processorMicros(pid)
  const deliveries = await deliver(audience)
  const micros = processorMicros(pid) - before
  const acks = deliveries.map(({ ackMs }) => ackMs)
  const lasts = deliveries.map(({ lastMs }) => lastMs)
  return {
    ackP50: quantile(acks, 0.5),
    ackP99: quantile(acks, 0.99),
    lastP50: quantile(lasts, 0.5),
    lastP99: quantile(lasts, 0.99),
    cpuMicrosPerMessage: micros / (audience.listeners * audience.pushes),
  }
}
