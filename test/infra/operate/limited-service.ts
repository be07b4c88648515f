import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import type { Clock } from '../../../infra/operate/service/clock.ts'
import { listen } from '../fake-api.ts'

/** Clock that moves only on a wait, and records each wait. */
export interface FakeClock extends Clock {
  readonly waits: readonly number[]
}

export function fakeClock(): FakeClock {
  const waits: number[] = []
  let now = Date.now()
  return {
    waits,
    now: () => now,
    async sleep(ms, signal) {
      signal?.throwIfAborted()
      waits.push(ms)
      now += ms
    },
  }
}

/** Faults of the platform between a tool and the service. */
export interface Unkindness {
  /** Authenticating requests per minute that an address may send. The default is the limit that the stack declares. */
  readonly perMinute?: number
  /** Time until a new token is found, ms. */
  readonly unknownMs?: number
  /** Exports that break off, numbered from 1: odd ones in the middle, even ones before they begin. */
  readonly brokenExports?: readonly number[]
  /** Called before each request is passed on, with the number of exports so far. */
  readonly before?: (request: string, exports: number) => Promise<void>
}

/** Serves a service behind a simulated location of the platform, which uses this clock. Returns its URL. */
export async function limitedService(api: string, clock: Clock, unkind: Unkindness = {}): Promise<string> {
  const { perMinute = 60, unknownMs = 0, brokenExports = [], before } = unkind
  const counted = { window: 0, requests: 0 }
  let [exports, mintedAt] = [0, 0]

  /** Reply of the location itself. */
  function refuse(request: string): Refusal | undefined {
    const window = Math.floor(clock.now() / 60_000)
    if (window !== counted.window) Object.assign(counted, { window, requests: 0 })
    if (/ \/api\/(auth|tokens|spaces)/.test(request) && ++counted.requests > perMinute) return EXHAUSTED
    if (request === 'POST /api/tokens') mintedAt = clock.now()
    return request === 'POST /api/auth' && clock.now() - mintedAt < unknownMs ? UNKNOWN : undefined
  }

  async function answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<unknown> {
    const refused = refuse(`${incoming.method} ${incoming.url}`)
    if (refused) return outgoing.writeHead(refused.status, refused.headers).end(JSON.stringify(refused.body))
    const isExport = incoming.url === '/api/export'
    if (isExport) exports += 1
    await before?.(`${incoming.method} ${incoming.url}`, exports)
    const response = await forward(api, incoming)
    const body = Buffer.from(await response.arrayBuffer())
    outgoing.writeHead(response.status, Object.fromEntries(response.headers))
    if (!isExport || !brokenExports.includes(exports)) return outgoing.end(body)
    if (exports % 2 === 0) return outgoing.destroy()
    return outgoing.write(body.subarray(0, body.length / 2), () => outgoing.destroy())
  }

  // An interrupted tool does not wait for the reply.
  return listen(
    createServer((incoming, outgoing) => void answer(incoming, outgoing).catch(() => outgoing.destroy())),
  )
}

interface Refusal {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: object
}

const EXHAUSTED: Refusal = {
  status: 429,
  headers: { 'retry-after': '60' },
  body: { code: 'rate-limited', detail: 'Too many requests.' },
}
const UNKNOWN: Refusal = {
  status: 401,
  headers: {},
  body: { code: 'unauthorized', detail: 'The token is not valid here: mistyped, expired, revoked.' },
}

async function forward(api: string, incoming: IncomingMessage): Promise<Response> {
  const { authorization, 'content-type': type } = incoming.headers
  const body = await buffer(incoming)
  return fetch(api + incoming.url, {
    method: incoming.method ?? 'GET',
    headers: { ...(authorization && { authorization }), ...(type && { 'content-type': type }) },
    ...(body.length > 0 && { body }),
  })
}
