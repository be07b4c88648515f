import { evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { beforeEach, expect, test, vi } from 'vitest'
import { type Config, DEFAULT_CONFIG } from '../../../worker/src/core/space/config.ts'
import { handle } from '../../../worker/src/http/edge.ts'
import { type ConfigReader, configReader } from '../../../worker/src/objects/space/config-reader.ts'
import { CONFIG_KEY } from '../../../worker/src/schema/stored/config.ts'
import { overhear } from '../../support/setup/witness.ts'
import { counting, failing } from '../../support/unkind/calls.ts'
import { lateKv } from '../../support/unkind/kv.ts'
import { device, mint, type Reply, send } from '../../support/worker/client.ts'

const DEFAULTS = {
  revision: 0,
  defaultPolicy: 'lww',
  policies: {},
  historyDays: 30,
  tombstoneDays: 90,
  identityProviders: [],
  requestsPerMinute: { client: 600, credential: 3000, space: 6000 },
  quota: { entries: 1_000_000, bytes: 1_073_741_824 },
}

/** Reply of `GET /api/config` while nothing is configured. */
const SHOWN = { stack: 'dev', ...DEFAULTS }

function get(): Promise<Reply> {
  return send('GET', '/api/config', { bearer: env.ADMIN_TOKEN })
}

function put(body: unknown): Promise<Reply> {
  return send('PUT', '/api/config', { bearer: env.ADMIN_TOKEN, body })
}

beforeEach(() => env.CHRONICLE_KV.delete('config'))

test('[CO1] reads and replaces the whole configuration, under the revision that was read', async () => {
  expect((await get()).body).toEqual(SHOWN)
  const put1 = await put({ revision: 0, policies: { notes: 'merge' }, historyDays: 7 })
  expect(put1.body).toMatchObject({ success: true, policies: { notes: 'merge' }, historyDays: 7 })
  expect((await get()).body).toEqual({ ...SHOWN, ...put1.body, success: undefined })
  const put2 = await put({ revision: put1.body.revision, defaultPolicy: 'manual' })
  expect(put2.body).toMatchObject({ defaultPolicy: 'manual', policies: {}, historyDays: 30 })
  expect(put2.body.revision).toBeGreaterThan(put1.body.revision)
})

test('[CO2] refuses a change made on another revision: 409 config-changed with the current revision', async () => {
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
  [{ revision: 0, policies: { 'a/b': 'lww' } }, 'policies["…"]: no slash'],
  [{ revision: 0, historyDays: 1.5 }, 'historyDays: expected a whole number'],
  [{ revision: 0, policies: [] }, 'policies'],
  [
    { revision: 0, policies: { '*': 'merge' } },
    'policies: "*" is no pattern for all collections: use defaultPolicy',
  ],
  [{ revision: 0, defaultPolicy: 'none' }, 'defaultPolicy'],
  [{ revision: 0, historyDays: 0 }, 'historyDays'],
  [{ revision: 0, tombstoneDays: 1.5 }, 'tombstoneDays'],
  [{ revision: 0, tombstoneDays: 3651 }, 'tombstoneDays'],
  [{ revision: 0, retention: 3 }, 'retention'],
  [
    { revision: 0, policies: Object.fromEntries(Array.from({ length: 257 }, (_, n) => [`c${n}`, 'lww'])) },
    '256',
  ],
])('[CO3] refuses a bad configuration as a whole and names the path: %j', async (body, place) => {
  const reply = await put(body)
  expect(reply).toMatchObject({ status: 422, body: { code: 'invalid-request' } })
  expect(reply.body.detail).toContain(place)
  expect((await get()).body).toEqual(SHOWN)
})

test('[CO7] names the stack, and takes its own reply back, changed, but not that of another stack', async () => {
  const { body: shown } = await get()
  expect(shown.stack).toBe('dev')
  const changed = await put({ ...shown, defaultPolicy: 'merge' })
  expect(changed).toMatchObject({ status: 200, body: { stack: 'dev', defaultPolicy: 'merge' } })
  const { success: _, ...written } = changed.body
  expect(await put({ ...written, stack: 'prod', defaultPolicy: 'manual' })).toMatchObject({
    status: 422,
    body: { code: 'invalid-request', detail: 'stack: this service is the stack "dev".' },
  })
  expect((await get()).body).toEqual(written)
})

test('[CO4] shows the configuration to the operator only, and takes it from no one else', async () => {
  const { session, token } = await device()
  for (const bearer of [session, token, 'adm_dev_other']) {
    expect((await send('GET', '/api/config', { bearer })).status).toBe(401)
    expect((await send('PUT', '/api/config', { bearer, body: { revision: 0 } })).status).toBe(401)
  }
  expect((await get()).body).toEqual(SHOWN)
})

test('[CO5] applies a configuration to a space without a deployment, and after an eviction', async () => {
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

/** KV with one value, which counts its reads. */
function kvOf(stored: unknown) {
  const kv = {
    stored,
    reads: 0,
    async get() {
      kv.reads += 1
      return kv.stored
    },
  }
  return kv
}

const SECOND = 1000
const MINUTE = 60 * SECOND

function configOf(revision: number): Config {
  return { ...DEFAULTS, revision, defaultPolicy: 'manual' } as Config
}

/** Runs `work` on a reader in an object of its own. */
function withReader(
  kv: object,
  work: (reader: ConfigReader, again: () => ConfigReader) => Promise<void>,
): Promise<void> {
  return runInDurableObject(env.CHRONICLE.getByName(crypto.randomUUID()), async (_, { storage }) => {
    const open = () => configReader(storage.sql, kv as unknown as KVNamespace)
    await work(open(), open)
  })
}

test('[CO6] never returns a space to an older revision, and applies none that is broken', async () => {
  const kv = kvOf(configOf(5))
  await withReader(kv, async (reader, again) => {
    expect((await Promise.all([reader.read(0), reader.read(0)])).map(({ revision }) => revision)).toEqual([
      5, 5,
    ])
    expect(kv.reads).toBe(1)
    const steps = [
      [configOf(4), 5],
      [{ ...configOf(6), defaultPolicy: 'newest' }, 5],
      [configOf(7), 7],
      [null, 7],
    ] as const
    for (const [index, [stored, expected]] of steps.entries()) {
      kv.stored = stored
      expect((await reader.read((index + 1) * 5 * MINUTE)).revision).toBe(expected)
      expect(kv.reads).toBe(index + 2)
    }
    expect((await again().read(0)).revision).toBe(7)
  })
})

test('[CO5] reads KV at once when a Worker names a newer revision, and otherwise not', async () => {
  const kv = kvOf(configOf(5))
  await withReader(kv, async (reader) => {
    await reader.read(0)
    for (let now = SECOND; now < 60 * MINUTE; now += 10 * SECOND) {
      reader.hear(now < 30 * MINUTE ? 5 : 3, now)
      expect((await reader.read(now)).revision).toBe(5)
    }
    expect(kv.reads).toBe(1)
    kv.stored = configOf(6)
    reader.hear(6, 61 * MINUTE)
    expect((await reader.read(61 * MINUTE)).revision).toBe(6)
    expect(kv.reads).toBe(2)
  })
})

test('[CO6] fails one request if a configuration cannot be stored, and retries with the next', async () => {
  const kv = kvOf(configOf(5))
  await runInDurableObject(env.CHRONICLE.getByName(crypto.randomUUID()), async (_, { storage }) => {
    const reader = configReader(storage.sql, kv as unknown as KVNamespace)
    {
      using _broken = failing(storage.sql, 'exec', (query) => String(query).startsWith('INSERT'))
      await expect(reader.read(0)).rejects.toThrow('exec')
    }
    expect((await reader.read(1)).revision).toBe(5)
    expect(kv.reads).toBe(2)
  })
})

test('[CO5] re-reads KV every five minutes in a space that no Worker calls', async () => {
  const kv = kvOf(configOf(5))
  await withReader(kv, async (reader) => {
    for (let now = 0; now <= 20 * MINUTE; now += SECOND) await reader.read(now)
    expect(kv.reads).toBe(5)
    kv.stored = configOf(6)
    expect((await reader.read(25 * MINUTE - 1)).revision).toBe(5)
    expect((await reader.read(25 * MINUTE)).revision).toBe(6)
  })
})

test('[CO5] re-reads KV every half minute while it is behind the revision that a Worker named', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() })
  const began = Date.now()
  const after = (ms: number) => {
    vi.setSystemTime(began + ms)
    return began + ms
  }
  await env.CHRONICLE_KV.put('config', JSON.stringify(configOf(5)))
  const kv = lateKv(env.CHRONICLE_KV)
  await withReader(kv, async (reader) => {
    expect((await reader.read(after(0))).revision).toBe(5)
    await env.CHRONICLE_KV.put('config', JSON.stringify(configOf(6)))
    const followed: number[] = []
    for (let ms = SECOND; ms <= 90 * SECOND; ms += SECOND) {
      reader.hear(6, after(ms))
      followed.push((await reader.read(after(ms))).revision)
    }
    expect(kv.reads()).toBe(3)
    expect(followed.slice(0, 59)).not.toContain(6)
    expect(followed.slice(59)).not.toContain(5)
  })
  vi.useRealTimers()
})

test('[CO5] shares the reads of a Worker between many spaces: no read for a request, one when the Worker must read', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 60 * MINUTE })
  const devices = await Promise.all(Array.from({ length: 5 }, () => device()))
  await Promise.all(devices.map(({ get }) => get('/api/status')))
  let reads = 0
  using _ = counting(env.CHRONICLE_KV, 'get', () => {
    reads += 1
  })
  for (let round = 0; round < 20; round++) {
    vi.setSystemTime(Date.now() + 30 * SECOND)
    for (const { get } of devices) expect((await get('/api/status')).status).toBe(200)
  }
  vi.useRealTimers()
  expect(reads).toBeLessThanOrEqual(40)
  expect(reads).toBeGreaterThan(0)
})

test('[CO5] fails no request because of a configuration that the Worker cannot read', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 120 * MINUTE })
  const { session } = await device()
  vi.setSystemTime(Date.now() + MINUTE)
  const get = () => Promise.reject(new Error('KV is away'))
  const request = new Request('https://sync.example/api/status', {
    headers: { authorization: `Bearer ${session}` },
  })
  const lines = await overhear(async () => {
    const response = await handle(request, { ...env, CHRONICLE_KV: { get } as unknown as KVNamespace })
    expect(response.status).toBe(200)
  })
  vi.useRealTimers()
  expect(lines.filter((line) => line.includes('config unreadable'))).toHaveLength(1)
})

test('[CO5] re-reads KV in a space that a Worker without a recent read calls every ten minutes', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 240 * MINUTE })
  const { token } = await mint()
  const [a, b] = [await device({ token, clientId: 'a' }), await device({ token, clientId: 'b' })]
  await a.sync({ changes: [{ key: 'n/1', value: 1, timestamp: 1, base: null }] })
  await a.get('/api/status')
  // Another location would write so; this isolate learns nothing of it.
  const config = { ...DEFAULT_CONFIG, revision: Date.now(), defaultPolicy: 'manual' }
  await env.CHRONICLE_KV.put(CONFIG_KEY, JSON.stringify(config))
  vi.setSystemTime(Date.now() + 10 * MINUTE)
  const late = await b.sync({ changes: [{ key: 'n/1', value: 2, timestamp: 2, base: 'other.1' }] })
  vi.useRealTimers()
  await env.CHRONICLE_KV.delete(CONFIG_KEY)
  expect(late.body.results).toMatchObject([{ status: 'conflict' }])
})
