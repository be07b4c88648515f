import { evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { beforeEach, expect, test } from 'vitest'
import { CONFIG_KEY } from '../../../worker/src/schema/stored/config.ts'
import { age } from '../../support/worker/ageing.ts'
import { call, type Device, device, mint, type Reply, send } from '../../support/worker/client.ts'
import { follow } from '../../support/worker/follower.ts'
import { exportOf } from '../../support/worker/imports.ts'

const T = Date.now() - 60_000
const ALL = ['sync:read', 'sync:write', 'space:admin']
const LAVISH = 1_000_000_000

beforeEach(() => env.CHRONICLE_KV.delete(CONFIG_KEY))

/** Configures a quota and lets a space read it. */
async function allow(quota: object, space?: string, more: object = {}): Promise<Reply> {
  const { revision } = (await send('GET', '/api/config', { bearer: env.ADMIN_TOKEN })).body
  const body = { revision, quota, ...more }
  const reply = await send('PUT', '/api/config', { bearer: env.ADMIN_TOKEN, body })
  if (space !== undefined) await evictDurableObject(env.CHRONICLE.getByName(space))
  return reply
}

async function newSpace(): Promise<{ space: string; a: Device }> {
  const space = crypto.randomUUID()
  return { space, a: await device(await mint({ space, scopes: ALL })) }
}

function puts(from: number, to: number, value: unknown = 'x'): object[] {
  return Array.from({ length: to - from }, (_, n) => ({ key: `k/${from + n}`, value, timestamp: T }))
}

function deletion(n: number, more: object = {}): object {
  return { key: `k/${n}`, deleted: true, timestamp: T + 1, ...more }
}

function sizeOf(space: string): Promise<number> {
  return runInDurableObject(env.CHRONICLE.getByName(space), (_, { storage: { sql } }) => sql.databaseSize)
}

/** Reads everything that is stored of a space. */
function dump(space: string): Promise<string> {
  return runInDurableObject(env.CHRONICLE.getByName(space), (_, { storage: { sql } }) => {
    const tables = ['segment', 'head', 'client', 'conflict', 'archive']
    return JSON.stringify(tables.map((name) => sql.exec(`SELECT * FROM ${name}`).toArray()))
  })
}

test('[QU1] takes entries up to the quota, and nothing of a batch with one too many', async () => {
  await allow({ entries: 5 })
  const { space, a } = await newSpace()
  expect((await a.sync({ batch: 1, changes: puts(0, 4) })).body.success).toBe(true)
  const before = await dump(space)
  const over = await a.sync({ batch: 2, changes: puts(4, 6) })
  expect(over.status).toBe(507)
  expect(over.body).toMatchObject({ code: 'quota-exceeded', quota: 'entries', limit: 5, used: 4 })
  expect(over.body).toMatchObject({ title: 'Insufficient Storage', success: false, synced: [] })
  expect(await dump(space)).toBe(before)
  expect((await a.sync({ batch: 2, changes: puts(4, 5) })).body).toMatchObject({ success: true })
  expect((await a.sync({ batch: 3, changes: puts(5, 6) })).body).toMatchObject({ status: 507, used: 5 })
  expect((await a.get('/api/status')).body.entries).toBe(5)
})

test('[QU1] takes changes that add no entry, even over the quota', async () => {
  const { space, a } = await newSpace()
  await a.sync({ changes: puts(0, 5) })
  await allow({ entries: 3 }, space)
  expect((await a.sync({ changes: puts(0, 5, 'y') })).body.synced).toHaveLength(5)
  expect((await a.sync({ changes: [deletion(0), ...puts(5, 6)] })).body).toMatchObject({ success: true })
  expect((await a.sync({ changes: [deletion(1), ...puts(6, 8)] })).status).toBe(507)
  expect((await a.sync({ changes: [deletion(1), deletion(2)] })).body).toMatchObject({ success: true })
  expect((await a.get('/api/status')).body.entries).toBe(3)
  expect((await a.sync({ changes: puts(6, 7) })).status).toBe(507)
  expect((await a.sync({ changes: [{ key: '', value: 1, timestamp: T }] })).status).toBe(200)
})

test('[QU1] takes a refused batch later under the same number, and replays one that was taken', async () => {
  await allow({ entries: 2 })
  const { space, a } = await newSpace()
  const first = { batch: 1, changes: puts(0, 2) }
  const second = { batch: 2, changes: puts(2, 4) }
  await a.sync(first)
  expect((await a.sync(second)).status).toBe(507)
  expect((await a.sync(first)).body).toMatchObject({ success: true, replayed: true })
  expect((await a.sync({ batch: 3, changes: [] })).body).toMatchObject({ code: 'batch-gap', expected: 2 })
  await allow({ entries: 4 }, space)
  expect((await a.sync(second)).body).toMatchObject({ success: true, replayed: false })
  await allow({ entries: 1, bytes: 1 }, space)
  expect((await a.sync(second)).body).toMatchObject({ success: true, replayed: true })
})

test('[QU2] takes no more content once a space has as many bytes as allowed', async () => {
  const { space: other, a: stranger } = await newSpace()
  await stranger.get('/api/status')
  const used = await sizeOf(other)
  for (const [limit, status] of [
    [used + 1, 200],
    [used, 507],
    [used - 1, 507],
  ] as const) {
    await allow({ bytes: limit })
    const { space, a } = await newSpace()
    const before = await dump(space)
    const reply = await a.sync({ batch: 1, changes: puts(0, 1) })
    expect(reply.status, `${limit - used}`).toBe(status)
    if (status === 200) continue
    expect(reply.body).toMatchObject({ code: 'quota-exceeded', quota: 'bytes', limit, used })
    expect(await dump(space)).toBe(before)
  }
})

test('[QU2] takes deletions without a value and changes that store nothing', async () => {
  const { space, a } = await newSpace()
  await a.sync({ changes: puts(0, 5) })
  await allow({ bytes: 1 }, space)
  expect((await a.sync({ changes: puts(0, 1, 'y') })).status).toBe(507)
  expect((await a.sync({ changes: [deletion(0, { value: 'last' })] })).status).toBe(507)
  expect((await a.sync({ changes: [deletion(0), ...puts(1, 2, 'y')] })).status).toBe(507)
  expect((await a.get('/api/status')).body.entries).toBe(5)
  expect((await a.sync({ batch: 1, changes: [deletion(0)] })).body.results).toMatchObject([
    { status: 'applied' },
  ])
  expect((await a.sync({ changes: puts(1, 2) })).body.results).toMatchObject([{ status: 'noop' }])
  expect((await a.sync({ changes: [{ key: '', value: 1, timestamp: T }] })).body.success).toBe(false)
  expect((await a.get('/api/status')).body.entries).toBe(4)
})

test('[QU2] has room again once replaced versions are dropped', async () => {
  const { space, a } = await newSpace()
  for (let round = 0; round < 8; round++) {
    const changes = [{ key: 'k/0', value: `${round}`.padEnd(120_000, 'x'), timestamp: T + round }]
    expect((await a.sync({ changes })).status).toBe(200)
  }
  const used = await sizeOf(space)
  await allow({ bytes: used }, space)
  expect((await a.sync({ changes: puts(1, 2) })).body).toMatchObject({ status: 507, used })
  await age(space, 31)
  await age(space, 62)
  expect(await sizeOf(space)).toBeLessThan(used / 2)
  expect((await a.sync({ changes: puts(1, 2) })).status).toBe(200)
})

test('[QU2] does not show a token of some collections how much the space holds', async () => {
  await allow({ entries: 1, bytes: LAVISH })
  const { space, a } = await newSpace()
  const some = await device(await mint({ space, collections: ['k'] }))
  await a.sync({ changes: puts(0, 1) })
  const { body } = await some.sync({ changes: puts(1, 2) })
  expect(body).toMatchObject({ status: 507, quota: 'entries', limit: 1, used: null })
})

/** Makes a space with an open conflict about `x/1`. */
async function openConflict(): Promise<{ space: string; a: Device; base: string; id: number }> {
  await allow({}, undefined, { policies: { x: 'manual' } })
  const { space, a } = await newSpace()
  const b = await device(await mint({ space }))
  const change = { key: 'x/1', timestamp: T, base: null }
  const { results } = (await a.sync({ changes: [{ ...change, value: 'mine' }] })).body
  const { conflicts } = (await b.sync({ changes: [{ ...change, value: 'yours', base: 'other.1' }] })).body
  return { space, a, base: results[0].version, id: conflicts[0].id }
}

function resolve(by: Device, id: number, body: object): Promise<Reply> {
  return send('POST', `/api/conflicts/${id}/resolve`, { bearer: by.session, body })
}

test('[QU3] refuses a decision that writes like any write, and leaves the conflict open', async () => {
  const { space, a, base, id } = await openConflict()
  await allow({ bytes: 1 }, space)
  const before = await dump(space)
  const refused = await resolve(a, id, { choice: 'loser', base })
  expect(refused.body).toMatchObject({ status: 507, code: 'quota-exceeded', quota: 'bytes', limit: 1 })
  expect(await dump(space)).toBe(before)
  await allow({ bytes: LAVISH }, space)
  expect((await resolve(a, id, { choice: 'loser', base })).body).toMatchObject({
    success: true,
    replayed: false,
  })
})

test('[QU3] takes a decision that writes nothing, and needs room for one that brings an entry back', async () => {
  const one = await openConflict()
  await allow({ bytes: 1, entries: 1 }, one.space)
  expect((await resolve(one.a, one.id, { choice: 'winner', base: one.base })).status).toBe(200)
  const { space, a, base, id } = await openConflict()
  await a.sync({ changes: [{ key: 'x/1', deleted: true, timestamp: T + 1, base }, ...puts(0, 2)] })
  await allow({ entries: 2 }, space)
  const refused = await resolve(a, id, { choice: 'loser', base: null })
  expect(refused.body).toMatchObject({ status: 507, quota: 'entries', used: 2 })
  await allow({ entries: 3 }, space)
  expect((await resolve(a, id, { choice: 'loser', base: null })).status).toBe(200)
})

function upload({ session }: Device, body: string): Promise<Reply> {
  const headers = { authorization: `Bearer ${session}`, 'content-type': 'application/x-ndjson' }
  return call('/api/import', { method: 'POST', headers, body }).then(async (response) => {
    return { status: response.status, headers: response.headers, body: await response.json() }
  })
}

/** Writes an export of `count` entries of 100 bytes and more. */
function largeExport(count: number): string {
  return exportOf(
    Array.from({ length: count }, (_, n) => ({ key: `k/${n}`, value: `${n}`.padEnd(100, '.') })),
  )
}

test('[QU3] stops an import where the space is full, and continues once the quota was raised', async () => {
  const text = largeExport(1200)
  for (const [quota, used] of [
    [{ entries: 700 }, 499],
    [{ bytes: 60_000 }, expect.any(Number)],
  ] as const) {
    await allow(quota)
    const { space, a } = await newSpace()
    const [name] = Object.keys(quota)
    const refused = await upload(a, text)
    expect(refused.body).toMatchObject({ status: 507, code: 'quota-exceeded', quota: name, used })
    expect((await a.get('/api/status')).body.code).toBe('importing')
    expect((await upload(a, text)).body).toMatchObject({ status: 507, used: refused.body.used })
    await allow({}, space)
    expect((await upload(a, text)).body).toEqual({
      success: true,
      line: 1202,
      entries: 1200,
      finished: true,
      edited: false,
    })
  }
})

test('[QU3] stores nothing of an export that does not fit at all, and leaves the space open', async () => {
  await allow({ bytes: 1 })
  const { a } = await newSpace()
  expect((await upload(a, largeExport(3))).status).toBe(507)
  expect((await a.get('/api/status')).body).toMatchObject({ status: 'ok', entries: 0 })
})

test('[QU4] reads, exports, follows and erases a full space', async () => {
  const { space, a } = await newSpace()
  await a.sync({ changes: puts(0, 3) })
  await allow({ entries: 1, bytes: 1 }, space)
  for (const path of ['changes', 'status', 'entries?key=k/1', 'history?key=k/1', 'conflicts']) {
    expect((await a.get(`/api/${path}`)).status, path).toBe(200)
  }
  expect((await a.sync({ changes: [], cursor: null })).body.changes).toHaveLength(3)
  const exported = await call('/api/export', { headers: { authorization: `Bearer ${a.session}` } })
  expect((await exported.text()).trimEnd().split('\n')).toHaveLength(5)
  const socket = await follow(a)
  await socket.next()
  socket.say({ type: 'push', id: 'x', body: { changes: puts(5, 6) } })
  const ack = await socket.next()
  expect(ack).toMatchObject({ type: 'ack', status: 507, body: { code: 'quota-exceeded', limit: 1, used: 3 } })
  expect((await send('DELETE', '/api/space', { bearer: a.session, body: { confirm: space } })).status).toBe(
    200,
  )
})

test('[QU5] shows the used and allowed amounts in the status of a token of all collections', async () => {
  await allow({ entries: 1000, bytes: LAVISH })
  const { space, a } = await newSpace()
  await a.sync({ changes: puts(0, 3) })
  const { quota } = (await a.get('/api/status')).body
  expect(quota).toEqual({
    entries: { used: 3, limit: 1000 },
    bytes: { used: await sizeOf(space), limit: LAVISH },
  })
  const some = await device(await mint({ space, collections: ['k'] }))
  expect((await some.get('/api/status')).body.quota).toBeNull()
})

test('[QU5] changes the tag of the status with the quota and the used bytes', async () => {
  const { space, a } = await newSpace()
  const some = await device(await mint({ space, collections: ['k'] }))
  const ask = async ({ session }: Device, known = '"none"') => {
    const headers = { authorization: `Bearer ${session}`, 'if-none-match': known }
    const response = await call('/api/status', { headers })
    return { status: response.status, tag: response.headers.get('etag') ?? '' }
  }
  for (const change of [
    () => allow({ entries: 7 }, space),
    () => allow({ entries: 7, bytes: LAVISH }, space),
    () =>
      runInDurableObject(env.CHRONICLE.getByName(space), (_, { storage: { sql } }) => {
        sql.exec(`INSERT INTO archive (first, last, archived, body) VALUES (1, 1, 1, zeroblob(20000))`)
      }),
  ]) {
    const [{ tag }, part] = [await ask(a), await ask(some)]
    expect((await ask(a, tag)).status).toBe(304)
    await change()
    expect((await ask(a, tag)).status).toBe(200)
    expect((await ask(some, part.tag)).status).toBe(304)
  }
})

test('[QU6] uses the default for a quota that is left out', async () => {
  const defaults = { entries: 1_000_000, bytes: 1024 ** 3 }
  expect((await allow({})).body.quota).toEqual(defaults)
  expect((await allow({ entries: 7 })).body.quota).toEqual({ ...defaults, entries: 7 })
  const { revision } = (await send('GET', '/api/config', { bearer: env.ADMIN_TOKEN })).body
  const before = { revision, defaultPolicy: 'lww', policies: {}, historyDays: 1, tombstoneDays: 1 }
  await env.CHRONICLE_KV.put(CONFIG_KEY, JSON.stringify(before))
  expect((await send('GET', '/api/config', { bearer: env.ADMIN_TOKEN })).body.quota).toEqual(defaults)
  expect((await (await newSpace()).a.get('/api/status')).body.quota.entries.limit).toBe(1_000_000)
})

test.each([
  [{ entries: 0 }, 'quota.entries'],
  [{ bytes: 0 }, 'quota.bytes'],
  [{ bytes: 1.5 }, 'quota.bytes'],
  [{ bytes: 10_000_000_001 }, 'quota.bytes'],
  [{ values: 5 }, 'values'],
  [5, 'quota'],
])('[QU6] refuses an invalid quota and names its path: %j', async (quota, place) => {
  const reply = await allow(quota as object)
  expect(reply).toMatchObject({ status: 422, body: { code: 'invalid-request' } })
  expect(reply.body.detail).toContain(place)
})
