import { env } from 'cloudflare:workers'
import { beforeAll, expect } from 'vitest'
import { type Device, type Reply, send, twoDevices } from './client.ts'

export const T = Date.now() - 60_000

/** Collections, named after their policies. */
export const POLICIES = { s: 'server-wins', c: 'client-wins', m: 'merge', x: 'manual', l: 'lww' }

beforeAll(async () => {
  const { body } = await send('GET', '/api/config', { bearer: env.ADMIN_TOKEN })
  const wanted = { revision: body.revision, policies: POLICIES }
  expect((await send('PUT', '/api/config', { bearer: env.ADMIN_TOKEN, body: wanted })).status).toBe(200)
})

/** Writes one change and returns the reply. */
export async function write(by: Device, change: object): Promise<Reply['body']> {
  return (await by.sync({ changes: [{ timestamp: T, ...change }] })).body
}

/** Makes two devices that know the same version of a key. The first one has changed the key since. */
export async function diverged(key: string, [before, after]: readonly [unknown, unknown]) {
  const [a, b] = await twoDevices()
  const base = (await write(a, { key, value: before, base: null })).results[0].version
  const version = (await write(a, { key, value: after, base, timestamp: T + 5 })).results[0].version
  return { a, b, base, version }
}

export async function currentValue(reader: Device, key: string): Promise<unknown> {
  return (await reader.get(`/api/entries?key=${encodeURIComponent(key)}`)).body.value
}
