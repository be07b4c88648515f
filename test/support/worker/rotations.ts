import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, vi } from 'vitest'
import { type Reply, send } from './client.ts'

export const MINUTE = 60_000
export const DAY = 24 * 60 * MINUTE

/** Lets the tests of a file move the time, which `pass` does. */
export function withMovedTime(): void {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() })
  })

  afterEach(() => {
    vi.restoreAllMocks()
    vi.useRealTimers()
  })
}

export function pass(ms: number): void {
  vi.setSystemTime(Date.now() + ms)
}

export function rotate(id: string, body: object = {}): Promise<Reply> {
  return send('POST', `/api/tokens/${id}/rotate`, { body, bearer: env.ADMIN_TOKEN })
}

/** Returns the outcome of exchanging a token for a session. */
export async function opens(token: string): Promise<string> {
  const { status, body } = await send('POST', '/api/auth', { body: { token } })
  return status === 200 ? 'session' : `${status} ${body.code}`
}

/** Returns the outcome of a read with a session. */
export async function reads(session: string): Promise<string> {
  const { status, body } = await send('GET', '/api/status', { bearer: session })
  return status === 200 ? 'read' : `${status} ${body.code}`
}

export async function recordOf(id: string): Promise<unknown> {
  return env.CHRONICLE_KV.get(`token:${id}`, 'json')
}
