import { evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { beforeEach, expect, test } from 'vitest'
import { SPARE_BYTES } from '../../worker/src/core/values/limits.ts'
import { sync } from '../../worker/src/objects/write/sync.ts'
import { CONFIG_KEY } from '../../worker/src/schema/config.ts'
import { age, within } from './ageing.ts'
import { configure, type Device, device, mint, send } from './client.ts'

const T = Date.now() - 60_000

beforeEach(() => env.CHRONICLE_KV.delete(CONFIG_KEY))

async function newSpace(): Promise<{ space: string; open: (clientId: string) => Promise<Device> }> {
  const space = crypto.randomUUID()
  const { token } = await mint({ space })
  return { space, open: (clientId) => device({ token, clientId }) }
}

/** Somebody else who may write in the space. */
async function stranger(space: string, clientId: string): Promise<Device> {
  return device({ token: (await mint({ space })).token, clientId })
}

function put(key: string, value: unknown, more: object = {}): object {
  return { key, value, timestamp: T, ...more }
}

function rejected(count: number): object[] {
  return Array.from({ length: count }, (_, n) => put('', n))
}

function read<T>(space: string, work: (sql: SqlStorage) => T): Promise<T> {
  return runInDurableObject(env.CHRONICLE.getByName(space), (_, { storage }) => work(storage.sql))
}

test('[QU2] a hundred clients whose batches are rejected take some kilobytes of a full space', async () => {
  await configure({ quota: { bytes: 1 } })
  const { space, open } = await newSpace()
  const before = await read(space, (sql) => sql.databaseSize)
  for (let n = 0; n < 100; n++) {
    const reply = await (await open(`c${n}`)).sync({ batch: 1, changes: rejected(500) })
    expect(reply.body.results).toHaveLength(500)
  }
  const grown = (await read(space, (sql) => sql.databaseSize)) - before
  expect(grown).toBeLessThan(40_000)
})

test('[QU2] a deletion of a full space passes, and nothing is kept of a base that is no version', async () => {
  await configure({ quota: { bytes: 1 }, defaultPolicy: 'manual' })
  const { space, open } = await newSpace()
  const a = await open('a')
  const before = await read(space, (sql) => sql.databaseSize)
  for (let n = 0; n < 40; n++) {
    const changes = [{ key: `k/${n}`, deleted: true, timestamp: T, base: String(n % 10).repeat(900_000) }]
    expect((await a.sync({ batch: n + 1, changes })).body.results).toMatchObject([{ status: 'noop' }])
  }
  const lose = (n: number) => ({
    key: 'k/live',
    deleted: true,
    timestamp: 1,
    base: `${'x'.repeat(900_000)}${n}`,
  })
  await configure({ defaultPolicy: 'manual' })
  await evictDurableObject(env.CHRONICLE.getByName(space))
  await a.sync({ changes: [put('k/live', 1)] })
  await configure({ quota: { bytes: 1 }, defaultPolicy: 'manual' })
  await evictDurableObject(env.CHRONICLE.getByName(space))
  for (let n = 0; n < 40; n++) {
    const reply = await a.sync({ batch: 41 + n, changes: [lose(n)] })
    expect(reply.body.results).toMatchObject([{ status: 'conflict' }])
    expect((await a.sync({ batch: 41 + n, changes: [lose(n)] })).body.replayed).toBe(true)
    expect((await a.sync({ batch: 41 + n, changes: [lose(n + 1)] })).body.code).toBe('batch-mismatch')
  }
  expect((await read(space, (sql) => sql.databaseSize)) - before).toBeLessThan(40_000)
})

test('[BA1] a rejected batch is answered again change by change, however it is kept', async () => {
  const { open } = await newSpace()
  const a = await open('a')
  const changes = [
    ...rejected(2),
    put('k/1', 1),
    put('k/2', 2),
    put('k/3', 3),
    { key: 'k/4', timestamp: T },
    put('k/5', 5, { timestamp: -1 }),
    put('k/1', 1),
    put('k/6', 6),
  ]
  const first = await a.sync({ batch: 1, changes })
  const again = await a.sync({ batch: 1, changes })
  expect(again.body).toEqual({ ...first.body, replayed: true, serverTime: again.body.serverTime })
})

test('[BA8] the results of a batch are kept for tombstoneDays; then it is told from any other, and not applied again', async () => {
  const { space, open } = await newSpace()
  const a = await open('a')
  const batch = { batch: 1, changes: [put('k/1', 1), ...rejected(50)] }
  await a.sync(batch)
  await age(space, 89)
  expect((await a.sync(batch)).body).toMatchObject({ replayed: true })
  await age(space, 91)
  const late = await a.sync(batch)
  expect(late).toMatchObject({ status: 409, body: { code: 'batch-forgotten', expected: 2 } })
  expect((await a.sync({ ...batch, changes: [put('k/1', 2)] })).body.code).toBe('batch-mismatch')
  expect((await a.sync({ batch: 2, changes: [put('k/1', 2, { timestamp: T + 1 })] })).status).toBe(200)
  expect((await a.get('/api/history?key=k/1')).body.versions).toHaveLength(2)
})

test('[BA8] a space with numbered batches wakes to forget their results, and not before', async () => {
  const { space, open } = await newSpace()
  await (await open('a')).sync({ batch: 1, changes: rejected(3) })
  const alarm = await runInDurableObject(env.CHRONICLE.getByName(space), (_, { storage }) =>
    storage.getAlarm(),
  )
  expect(Math.round(((alarm ?? 0) - Date.now()) / 86_400_000)).toBe(90)
  expect((await age(space, 91)).next).toBeNull()
  const [record] = await read(space, (sql) => sql.exec('SELECT batch, verdicts FROM client').toArray())
  expect(record).toEqual({ batch: 1, verdicts: '' })
})

test('[AU6] a client belongs to the subject of its first write, numbered or not', async () => {
  const { space, open } = await newSpace()
  const a = await open('a')
  const first = await a.sync({ changes: [put('k/1', 1)] })
  const mallory = await stranger(space, 'a')
  const attempts = [
    { changes: [put('k/1', 'theirs', { base: first.body.results[0].version })] },
    { batch: 1, changes: [] },
    { batch: 1, changes: [put('k/2', 2)] },
  ]
  for (const attempt of attempts)
    expect(await mallory.sync(attempt)).toMatchObject({ status: 403, body: { code: 'foreign-client' } })
  expect((await mallory.sync({ changes: [], cursor: null })).body.changes).toMatchObject([{ value: 1 }])
  expect((await a.sync({ batch: 1, changes: [put('k/1', 2, { timestamp: T + 1 })] })).status).toBe(200)
})

test('[AU6] a conflict is decided in the name of a client by its own subject only', async () => {
  await configure({ defaultPolicy: 'manual' })
  const { space, open } = await newSpace()
  const [a, v] = [await open('a'), await open('v')]
  const base = (await a.sync({ changes: [put('k/1', 'a', { base: null })] })).body.results[0].version
  const { id } = (await v.sync({ changes: [put('k/1', 'v', { base: null })] })).body.conflicts[0]
  const mallory = await stranger(space, 'v')
  const decide = (by: Device) =>
    send('POST', `/api/conflicts/${id}/resolve`, { bearer: by.session, body: { choice: 'loser', base } })
  expect(await decide(mallory)).toMatchObject({ status: 403, body: { code: 'foreign-client' } })
  expect((await a.get('/api/conflicts?open=1')).body.conflicts).toHaveLength(1)
  expect(await decide(v)).toMatchObject({ status: 200 })
  // Who decides first writes first: from then on the client is theirs.
  const w = (await a.sync({ changes: [put('k/2', 'a', { base: null })] })).body.results[0].version
  const next = (await v.sync({ changes: [put('k/2', 'v', { base: null })] })).body.conflicts[0].id
  const judge = await stranger(space, 'judge')
  const body = { choice: 'loser', base: w }
  const path = `/api/conflicts/${next}/resolve`
  expect((await send('POST', path, { bearer: judge.session, body })).status).toBe(200)
  const other = await stranger(space, 'judge')
  expect((await other.sync({ changes: [put('k/3', 1)] })).body.code).toBe('foreign-client')
})

test('[AU6] whose a client is ages once nothing current is its own, and no sooner', async () => {
  const { space, open } = await newSpace()
  const [a, b] = [await open('a'), await open('b')]
  await a.sync({ changes: [put('k/1', 1), put('k/2', 2)] })
  const owners = () => read(space, (sql) => sql.exec('SELECT id FROM client ORDER BY id').toArray())
  const stands = (await b.sync({ changes: [], cursor: null })).body.changes
  await b.sync({ changes: [put('k/1', 'b', { base: stands[0].version })] })
  await age(space, 200)
  expect(await owners()).toEqual([{ id: 'a' }, { id: 'b' }])
  await b.sync({ changes: [put('k/2', 'b', { base: stands[1].version })] })
  // A write a day is noted: a client in use keeps its name, though nothing current is its own.
  await read(space, (sql) => sql.exec('UPDATE client SET arrived = arrived - 200 * 86400000'))
  await a.sync({ changes: [put('k/3', 1)] })
  await b.sync({ changes: [{ key: 'k/3', deleted: true, timestamp: T + 1 }] })
  await age(space, 80)
  expect(await owners()).toEqual([{ id: 'a' }, { id: 'b' }])
  await age(space, 400)
  expect(await owners()).toEqual([{ id: 'b' }])
})

test('[SY6] a client that numbers its batches writes blindly in its order, also a value that it wrote before', async () => {
  const { open } = await newSpace()
  const a = await open('a')
  const results = []
  for (const [index, value] of [1, 2, 1].entries())
    results.push((await a.sync({ batch: index + 1, changes: [put('k/x', value)] })).body.results[0].status)
  expect(results).toEqual(['applied', 'applied', 'applied'])
  expect((await a.get('/api/entries?key=k/x')).body.value).toBe(1)
  // A deletion in between counts as well.
  await a.sync({ batch: 4, changes: [{ key: 'k/x', deleted: true, timestamp: T }] })
  await a.sync({ batch: 5, changes: [put('k/x', 1)] })
  expect((await a.get('/api/entries?key=k/x')).body.value).toBe(1)
})

test('[CL4] the time of an entry never falls, so that an edit from before it does not win later', async () => {
  const { open } = await newSpace()
  const [a, slow, third] = [await open('a'), await open('slow'), await open('third')]
  const base = (await a.sync({ changes: [put('k/1', 'a', { base: null })] })).body.results[0].version
  const edit = put('k/1', 'slow', { base, timestamp: T - 3_600_000 })
  const raised = await slow.sync({ batch: 1, changes: [edit] })
  expect(raised.body.results[0]).toMatchObject({ status: 'applied', effectiveTimestamp: T + 1 })
  expect((await a.get('/api/entries?key=k/1')).body).toMatchObject({ value: 'slow', timestamp: T + 1 })
  // Neither from before the version that was replaced, nor of its moment, whoever has the greater id.
  for (const timestamp of [T - 60_000, T]) {
    const older = put('k/1', 'third', { timestamp })
    expect((await third.sync({ changes: [older] })).body.results[0].status).toBe('superseded')
  }
  expect((await slow.sync({ batch: 1, changes: [edit] })).body.results).toEqual(raised.body.results)
})

test('[CL4] a deletion and a write under client-wins keep the time too, over a restart of the object', async () => {
  await configure({ defaultPolicy: 'client-wins' })
  const { space, open } = await newSpace()
  const [a, b] = [await open('a'), await open('b')]
  await a.sync({ changes: [put('k/1', 'a', { base: null }), put('k/2', 'a', { base: null })] })
  await b.sync({ changes: [put('k/1', 'b', { base: null, timestamp: 5 })] })
  const base = (await a.get('/api/entries?key=k/2')).body.version
  await b.sync({ changes: [{ key: 'k/2', deleted: true, timestamp: 5, base }] })
  await evictDurableObject(env.CHRONICLE.getByName(space))
  const { changes } = (await a.get('/api/changes')).body
  expect(changes).toMatchObject([
    { key: 'k/1', value: 'b', timestamp: T + 1 },
    { key: 'k/2', deleted: true, timestamp: T + 1 },
  ])
})

test('[CL4] a raised time does not make a client lose to itself, nor a repetition without a number to what it repeats', async () => {
  const { open } = await newSpace()
  const [a, slow] = [await open('a'), await open('slow')]
  const base = (await a.sync({ changes: [put('k/1', 'a', { base: null })] })).body.results[0].version
  await slow.sync({ changes: [put('k/1', 1, { base, timestamp: T - 5000 })] })
  const later = put('k/1', 2, { timestamp: T - 4000 })
  expect((await slow.sync({ changes: [later] })).body).toMatchObject({
    results: [{ status: 'applied' }],
    conflicts: [],
  })
  const falling = [100, 50, 20].map((ms, value) => put('k/2', value, { timestamp: T + ms }))
  await slow.sync({ changes: falling })
  const again = await slow.sync({ changes: falling })
  expect(again.body.results.map(({ status }: { status: string }) => status)).toEqual(['noop', 'noop', 'noop'])
  expect(again.body.conflicts).toEqual([])
})

test('[CL4] no number of raised edits takes an entry into the future', async () => {
  const { open } = await newSpace()
  const a = await open('a')
  const ahead = put('k/1', 'ahead', { timestamp: Date.now() + 3_600_000 })
  await a.sync({
    changes: [ahead, ...Array.from({ length: 400 }, (_, n) => put('k/1', n, { timestamp: 5 }))],
  })
  const { body } = await a.get('/api/entries?key=k/1')
  expect(body.timestamp).toBeLessThanOrEqual(Date.now())
})

test('[QU2] past its spare bytes a space takes no records that grow and no deletions that lose', async () => {
  const { space, open } = await newSpace()
  const a = await open('a')
  await a.sync({ batch: 1, changes: [put('k/1', 1), put('k/2', 2), put('k/3', 3)] })
  const taken = await within(space, async (opened) => {
    Object.assign(opened.store, { bytes: () => opened.config.quota.bytes + SPARE_BYTES })
    const session = { id: 'i', token: 't', space, scopes: ['sync:write'], collections: null } as const
    const owner = opened.store.client('a')?.subject ?? ''
    const push = async (client: string, body: object) => {
      const who = { ...session, client, subject: owner, issuedAt: Date.now(), expiresAt: 0 }
      const result = await sync(opened, who, { text: JSON.stringify(body), now: Date.now() })
      return result.ok ? 'taken' : result.fault.code
    }
    const gone = (key: string, more: object = {}) => ({ key, deleted: true, timestamp: T + 1, ...more })
    const mixed = Array.from({ length: 400 }, (_, n) =>
      n % 2 ? put('', n) : put('k/x', n, { timestamp: -1 }),
    )
    return [
      await push('a', { batch: 2, changes: [gone('k/1')] }),
      await push('a', { batch: 3, changes: [gone('k/2'), gone('k/3', { timestamp: 1 })] }),
      await push('a', { batch: 3, changes: mixed }),
      await push('b', { batch: 1, changes: [] }),
      await push('a', { batch: 3, changes: rejected(400) }),
    ]
  })
  expect(taken).toEqual(['taken', 'quota-exceeded', 'quota-exceeded', 'quota-exceeded', 'taken'])
})
