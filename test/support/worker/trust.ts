import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, expect, vi } from 'vitest'
import type { IdentityProvider } from '../../../worker/src/core/access/identity.ts'
import { type Reply, send } from './client.ts'
import { connect, newProvider, type Provider } from './provider.ts'

export const MINUTE = 60_000

let began = Date.now()

beforeEach(async () => {
  // The date moves only when a test moves it, and each test is later than the one before. An isolate caches for half a
  // minute or an hour, and tests do not wait for that.
  began += 5 * 60 * MINUTE
  vi.useFakeTimers({ toFake: ['Date'], now: began })
  connect()
})

afterEach(() => {
  vi.restoreAllMocks()
  vi.useRealTimers()
})

export function pass(ms: number): void {
  vi.setSystemTime(Date.now() + ms)
}

/** Configures the identity providers. */
export async function trust(...entries: readonly (Provider | Partial<IdentityProvider>)[]): Promise<Reply> {
  const bearer = env.ADMIN_TOKEN
  const { revision } = (await send('GET', '/api/config', { bearer })).body
  const identityProviders = entries.map((entry) => ('entry' in entry ? entry.entry : entry))
  const reply = await send('PUT', '/api/config', { bearer, body: { revision, identityProviders } })
  pass(MINUTE)
  return reply
}

export async function trusted(changed: Partial<IdentityProvider> = {}): Promise<Provider> {
  const provider = await newProvider(changed)
  expect((await trust(provider)).status).toBe(200)
  return provider
}

export function open(token: string, clientId = 'phone'): Promise<Reply> {
  return send('POST', '/api/auth', { body: { token, clientId } })
}

export async function outcome(token: string): Promise<string> {
  const { status, body } = await open(token)
  return status === 200 ? 'session' : `${status} ${body.code}`
}
