import { evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { beforeEach, expect, test } from 'vitest'
import type { Config } from '../../worker/src/core/config.ts'
import { configReader } from '../../worker/src/objects/config.ts'
import { device, mint, type Reply, send } from './client.ts'

const DEFAULTS = {
  revision: 0,
  defaultPolicy: 'lww',
  policies: {},
  historyDays: 30,
  tombstoneDays: 90,
  identityProviders: [],
  requestsPerMinute: { client: 600, credential: 3000, space: 12_000 },
  quota: { entries: 1_000_000, bytes: 1_073_741_824 },
}

function get(): Promise<Reply> {
  return send('GET', '/api/config', { bearer: env.ADMIN_TOKEN })
}

function put(body: unknown): Promise<Reply> {
  return send('PUT', '/api/config', { bearer: env.ADMIN_TOKEN, body })
}

beforeEach(() => env.CHRONICLE_KV.delete('config'))

test('[CO1] the configuration is read and replaced whole, with the revision that was seen', async () => {
  expect((await get()).body).toEqual(DEFAULTS)
  const put1 = await put({ revision: 0, policies: { notes: 'merge' }, historyDays: 7 })
  expect(put1.body).toMatchObject({ success: true, policies: { notes: 'merge' }, historyDays: 7 })
  expect((await get()).body).toEqual({ ...DEFAULTS, ...put1.body, success: undefined })
  const put2 = await put({ revision: put1.body.revision, defaultPolicy: 'manual' })
  expect(put2.body).toMatchObject({ defaultPolicy: 'manual', policies: {}, historyDays: 30 })
  expect(put2.body.revision).toBeGreaterThan(put1.body.revision)
})

test('[CO2] a change made on another revision is refused: 409 config-changed with the current one', async () => {
  const { revision } = (await put({ revision: 0, historyDays: 7 })).body
  expect(await put({ revision: 0, historyDays: 8 })).toMatchObject({
    status: 409,
    body: { code: 'config-changed', revision },
  })
  expect((await get()).body.historyDays).toBe(7)
})

test.each([
  [{}, 'revision: is missing'],
  [{ revision: 0, policies: { notes: 'newest' } }, 'policies.notes'],
  [{ revision: 0, policies: { 'a/b': 'lww' } }, 'policies'],
  [{ revision: 0, policies: [] }, 'policies'],
  [{ revision: 0, defaultPolicy: 'none' }, 'defaultPolicy'],
  [{ revision: 0, historyDays: 0 }, 'historyDays'],
  [{ revision: 0, tombstoneDays: 1.5 }, 'tombstoneDays'],
  [{ revision: 0, tombstoneDays: 3651 }, 'tombstoneDays'],
  [{ revision: 0, retention: 3 }, 'retention'],
  [
    { revision: 0, policies: Object.fromEntries(Array.from({ length: 257 }, (_, n) => [`c${n}`, 'lww'])) },
    '256',
  ],
])('[CO3] a bad configuration is refused whole, with the place: %j', async (body, place) => {
  const reply = await put(body)
  expect(reply).toMatchObject({ status: 422, body: { code: 'invalid-request' } })
  expect(reply.body.detail).toContain(place)
  expect((await get()).body).toEqual(DEFAULTS)
})

test('[CO4] only the operator sees and changes it', async () => {
  const { session, token } = await device()
  for (const bearer of [session, token, 'adm_dev_other']) {
    expect((await send('GET', '/api/config', { bearer })).status).toBe(401)
    expect((await send('PUT', '/api/config', { bearer, body: { revision: 0 } })).status).toBe(401)
  }
  expect((await get()).body).toEqual(DEFAULTS)
})

test('[CO5] a space follows it without a deployment, and keeps to it when its object is evicted', async () => {
  const space = crypto.randomUUID()
  const a = await device(await mint({ space }))
  const conflict = async (key: string) => {
    await a.sync({ changes: [{ key, value: 1, timestamp: 1, base: null }] })
    const b = await device(await mint({ space }))
    return (await b.sync({ changes: [{ key, value: 2, timestamp: 2, base: 'other.1' }] })).body.results[0]
      .status
  }
  expect(await conflict('n/1')).toBe('applied')
  await put({ revision: 0, policies: { n: 'server-wins' } })
  await evictDurableObject(env.CHRONICLE.getByName(space))
  expect(await conflict('n/2')).toBe('superseded')
  await env.CHRONICLE_KV.delete('config')
  await evictDurableObject(env.CHRONICLE.getByName(space))
  expect(await conflict('n/3')).toBe('superseded')
})

test('[CO6] a space never goes back to an older revision, and takes none that is broken', async () => {
  const config = (revision: number): Config => ({ ...DEFAULTS, revision, defaultPolicy: 'manual' }) as Config
  await runInDurableObject(env.CHRONICLE.getByName(crypto.randomUUID()), async (_, { storage }) => {
    let stored: unknown = config(5)
    let reads = 0
    const get = async () => {
      reads += 1
      return stored
    }
    const kv = { get } as unknown as KVNamespace
    const read = configReader(storage.sql, kv)
    expect((await Promise.all([read(0), read(0)])).map(({ revision }) => revision)).toEqual([5, 5])
    expect(reads).toBe(1)
    stored = config(4)
    expect((await read(29_999)).revision).toBe(5)
    expect((await read(30_000)).revision).toBe(5)
    expect(reads).toBe(2)
    stored = { ...config(6), defaultPolicy: 'newest' }
    expect((await read(60_000)).revision).toBe(5)
    stored = config(7)
    expect((await read(90_000)).revision).toBe(7)
    expect(
      (await configReader(storage.sql, { get: async () => null } as unknown as KVNamespace)(0)).revision,
    ).toBe(7)
  })
})
