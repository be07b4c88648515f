import { expect, test } from 'vitest'
import { type Device, device, twoDevices } from '../../support/worker/client.ts'

const T = Date.now() - 60_000

/** Writes one key, and returns its line of `results`. */
async function write(by: Device, change: object): Promise<{ status: string; version: string }> {
  const { body } = await by.sync({ changes: [{ timestamp: T, ...change }] })
  return body.results[0]
}

async function valueAt(by: Device, key: string): Promise<unknown> {
  const { status, body } = await by.get(`/api/entries?key=${encodeURIComponent(key)}`)
  return status === 404 ? undefined : body.value
}

test('[SY1] applies a write on base whatever its clock says', async () => {
  const [a, b] = await twoDevices()
  const { version } = await write(a, { key: 'n/1', value: 1, timestamp: T + 9 })
  const second = await write(b, { key: 'n/1', value: 2, timestamp: 1, base: version })
  expect(second.status).toBe('applied')
  expect(await valueAt(a, 'n/1')).toBe(2)
  expect((await a.get('/api/conflicts')).body.conflicts).toEqual([])
})

test('[SY2] resolves a concurrent write by the later clock, and keeps the loser', async () => {
  const [a, b] = await twoDevices()
  const { version } = await write(a, { key: 'n/1', value: 'old', base: null })
  await write(a, { key: 'n/1', value: 'from a', timestamp: T + 5, base: version })
  const { body } = await b.sync({
    changes: [{ key: 'n/1', value: 'from b', timestamp: T + 4, base: version }],
  })
  expect(body.success).toBe(true)
  expect(body.synced).toEqual([])
  expect(body.results).toMatchObject([{ key: 'n/1', status: 'superseded' }])
  expect(body.conflicts).toMatchObject([
    {
      key: 'n/1',
      policy: 'lww',
      resolution: 'kept-server',
      winner: { value: 'from a', by: 'a', version: body.results[0].version, timestamp: T + 5 },
      loser: { value: 'from b', by: 'b', timestamp: T + 4 },
      paths: [],
    },
  ])
  expect(await valueAt(b, 'n/1')).toBe('from a')
  expect((await a.get('/api/conflicts?key=n/1')).body.conflicts).toEqual(body.conflicts)
})

test('[SY3] reports a concurrent write that wins, and keeps the version that it replaced', async () => {
  const [a, b] = await twoDevices()
  await write(a, { key: 'n/1', value: 'from a' })
  const { body } = await b.sync({ changes: [{ key: 'n/1', value: 'from b', timestamp: T + 1, base: null }] })
  expect(body.results[0].status).toBe('applied')
  expect(body.conflicts).toMatchObject([
    { resolution: 'kept-client', winner: { value: 'from b' }, loser: { value: 'from a', by: 'a' } },
  ])
})

test('[SY4] breaks a tie by the greater client id, then for the incumbent', async () => {
  const [a, b] = await twoDevices()
  await write(a, { key: 'a-then-b', value: 'a', base: null })
  expect((await write(b, { key: 'a-then-b', value: 'b', base: null })).status).toBe('applied')
  await write(b, { key: 'b-then-a', value: 'b', base: null })
  expect((await write(a, { key: 'b-then-a', value: 'a', base: null })).status).toBe('superseded')
})

test('[SY5] accepts further edits that a client made before the first reply arrived as on base', async () => {
  const [a, b] = await twoDevices()
  const first = await write(a, { key: 'n/1', value: 1, base: null })
  expect((await write(a, { key: 'n/1', value: 2, timestamp: 1, base: null })).status).toBe('applied')
  expect((await write(a, { key: 'n/1', value: 3, timestamp: 1, base: first.version })).status).toBe('applied')
  expect((await write(b, { key: 'n/1', value: 4, timestamp: 0, base: null })).status).toBe('superseded')
  expect((await a.get('/api/conflicts')).body.conflicts).toHaveLength(1)
})

test("[SY5] treats such an edit as concurrent once another client's write lies between", async () => {
  const [a, b] = await twoDevices()
  const first = await write(a, { key: 'n/1', value: 1, base: null })
  await write(b, { key: 'n/1', value: 2, base: first.version })
  const late = await a.sync({ changes: [{ key: 'n/1', value: 3, timestamp: T + 1, base: first.version }] })
  expect(late.body.conflicts).toMatchObject([{ loser: { value: 2, by: 'b' } }])
})

test('[SY5] begins a run at a deletion: base null continues it, an older base is concurrent', async () => {
  const [a, b] = await twoDevices()
  const first = await write(a, { key: 'n/1', value: 1, base: null })
  const second = await write(a, { key: 'n/1', value: 2, base: first.version })
  const third = await write(a, { key: 'n/1', deleted: true, base: second.version })
  for (const [index, base] of [null, null, third.version].entries())
    expect((await write(b, { key: 'n/1', value: { index }, base, timestamp: 1 })).status).toBe('applied')
  expect((await b.get('/api/conflicts')).body.conflicts).toEqual([])
  const late = { key: 'n/1', value: 5, base: first.version, timestamp: 1 }
  expect((await write(b, late)).status).toBe('superseded')
})

test('[SY6] resolves a blind write by the clock, and keeps the version of another client that it replaces', async () => {
  const [a, b] = await twoDevices()
  await write(a, { key: 'n/1', value: 'a' })
  const own = await a.sync({ changes: [{ key: 'n/1', value: 'a2', timestamp: T + 1 }] })
  expect(own.body).toMatchObject({ conflicts: [], results: [{ status: 'applied' }] })
  const foreign = await b.sync({ changes: [{ key: 'n/1', value: 'b', timestamp: T + 2 }] })
  expect(foreign.body.conflicts).toMatchObject([{ loser: { value: 'a2' } }])
  const late = await a.sync({ changes: [{ key: 'n/1', value: 'late', timestamp: T }] })
  expect(late.body.conflicts).toMatchObject([{ winner: { value: 'b' }, loser: { value: 'late' } }])
})

test('[SY6] applies blind writes of one client with equal times in their order', async () => {
  const [a] = await twoDevices()
  await write(a, { key: 'n/1', value: 1 })
  const { body } = await a.sync({ changes: [{ key: 'n/1', value: 2, timestamp: T }] })
  expect(body).toMatchObject({ conflicts: [], results: [{ status: 'applied' }] })
})

test('[SY7] treats a concurrent write of the same content as a noop, whatever its key order', async () => {
  const [a, b] = await twoDevices()
  const { version } = await write(a, { key: 'n/1', value: { x: 1, 10: 'ten', 9: [{ b: 1, a: 2 }] } })
  const { body } = await b.sync({
    changes: [{ key: 'n/1', value: { 9: [{ a: 2, b: 1 }], 10: 'ten', x: 1 }, timestamp: T + 5 }],
  })
  expect(body).toMatchObject({
    success: true,
    synced: ['n/1'],
    conflicts: [],
    results: [{ status: 'noop', version }],
  })
})

test('[SY8] keeps a deletion as a tombstone that the feed carries, with its last value if it has one', async () => {
  const [a, b] = await twoDevices()
  const { version } = await write(a, { key: 'n/1', value: 1 })
  await write(a, { key: 'n/1', deleted: true, value: 'last', base: version })
  const { body } = await b.sync({ changes: [], cursor: null })
  expect(body.changes).toMatchObject([{ key: 'n/1', deleted: true, value: 'last', by: 'a' }])
  expect(await valueAt(b, 'n/1')).toBeUndefined()
})

test('[SY8] treats the deletion of an absent entry as a noop', async () => {
  const a = await device()
  expect(await write(a, { key: 'never', deleted: true })).toEqual({ key: 'never', status: 'noop' })
  const { version } = await write(a, { key: 'n/1', value: 1 })
  const gone = await write(a, { key: 'n/1', deleted: true, base: version })
  expect(await write(a, { key: 'n/1', deleted: true })).toMatchObject({
    status: 'noop',
    version: gone.version,
  })
})

test('[SY9] creates a deleted entry again for a client that believes it absent', async () => {
  const [a, b] = await twoDevices()
  const { version } = await write(a, { key: 'n/1', value: 1 })
  await write(a, { key: 'n/1', deleted: true, base: version })
  const { body } = await b.sync({ changes: [{ key: 'n/1', value: 2, timestamp: 1, base: null }] })
  expect(body).toMatchObject({ conflicts: [], results: [{ status: 'applied' }] })
  expect(await valueAt(a, 'n/1')).toBe(2)
})

test('[SY10] never restores a dropped entry silently: a forgotten base is a conflict', async () => {
  const a = await device()
  const { body } = await a.sync({ changes: [{ key: 'n/1', value: 1, timestamp: T, base: 'other.7' }] })
  expect(body.results[0].status).toBe('applied')
  expect(body.conflicts).toMatchObject([{ key: 'n/1', winner: { value: 1 }, loser: { deleted: true } }])
})

test('[SY11] stores null and every other JSON as a value', async () => {
  const a = await device()
  const values = [null, false, 0, '', [], {}, 1.5e-7, 'ünï\u{1f600}', { a: [null, { b: {} }] }]
  const changes = values.map((value, index) => ({ key: `v/${index}`, value, timestamp: T }))
  await a.sync({ changes })
  const { body } = await a.sync({ changes: [], cursor: null })
  expect(body.changes.map(({ value }: { value: unknown }) => value)).toEqual(values)
})

test('[SY12] decides the changes of a batch in their order, the same key twice included', async () => {
  const a = await device()
  const { body } = await a.sync({
    changes: [
      { key: 'n/1', value: 1, timestamp: T, base: null },
      { key: 'n/1', value: 2, timestamp: T, base: null },
      { key: 'n/1', deleted: true, timestamp: T, base: null },
      { key: 'n/1', value: 4, timestamp: T, base: null },
    ],
    cursor: null,
  })
  expect(body.results.map(({ status }: { status: string }) => status)).toEqual(Array(4).fill('applied'))
  expect(body.synced).toEqual(['n/1'])
  expect(body.changes).toMatchObject([{ key: 'n/1', value: 4, version: body.results[3].version }])
})

test('[SY13] refuses an atomic batch with a conflict or a rejection, and stores nothing of it', async () => {
  const [a, b] = await twoDevices()
  await write(a, { key: 'n/1', value: 1, timestamp: T + 1 })
  const spoiled = [
    { key: 'n/1', value: 2, timestamp: T, base: null },
    { key: '', value: 2, timestamp: T },
  ]
  for (const change of spoiled) {
    const changes = [{ key: 'n/2', value: 2, timestamp: T }, change]
    const reply = await b.sync({ batch: 1, atomic: true, changes })
    expect(reply.status).toBe(409)
    expect(reply.body).toMatchObject({ code: 'atomic-failed', success: false, synced: [] })
    expect(reply.body.results).toHaveLength(2)
  }
  expect(await valueAt(a, 'n/2')).toBeUndefined()
  expect((await a.get('/api/conflicts')).body.conflicts).toEqual([])
  const next = await b.sync({ batch: 1, atomic: true, changes: [{ key: 'n/2', value: 2, timestamp: T }] })
  expect(next.body).toMatchObject({ success: true, synced: ['n/2'] })
})

test('[SY14] returns __proto__ as a key and inside a value unchanged', async () => {
  const a = await device()
  const text =
    '{"changes":[{"key":"__proto__","value":{"__proto__":{"x":1},"constructor":2},"timestamp":1}],"cursor":null}'
  const { body } = await a.sync(JSON.parse(text))
  const [entry] = body.changes
  expect(entry.key).toBe('__proto__')
  expect(JSON.stringify(entry.value)).toBe('{"__proto__":{"x":1},"constructor":2}')
  expect(Object.hasOwn(entry.value, '__proto__')).toBe(true)
  expect(({} as { x?: number }).x).toBeUndefined()
})

test('[BA6] treats repeated blind writes without a number as no change, under another measured skew', async () => {
  const a = await device()
  const changes = [
    { key: 'n/1', value: 1, timestamp: T - 3_600_000 },
    { key: 'n/1', value: 2, timestamp: T - 3_600_000 + 1 },
  ]
  const push = (late: number) => a.sync({ clientTime: Date.now() - 3_600_000 - late, changes })
  const first = (await push(0)).body
  for (const late of [-40, 40, 2_000]) {
    const { results, conflicts, head } = (await push(late)).body
    expect(results).toMatchObject([{ status: 'noop' }, { status: 'noop' }])
    expect([conflicts, head]).toEqual([[], first.head])
  }
})

test('[VE1] treats a base of any text as concurrent', async () => {
  const [a, b] = await twoDevices()
  const { head } = (await a.sync({ changes: [] })).body
  for (const [index, base] of ['', 'x', 'x'.repeat(5_000), `${head}${'0'.repeat(5_000)}`].entries()) {
    const key = `k/${index}`
    await a.sync({ changes: [{ key, value: 'a', timestamp: 1 }] })
    const change = { key, value: 'b', timestamp: 2, base }
    const { body } = await b.sync({ batch: index + 1, changes: [change] })
    expect(body.results, base.slice(0, 9)).toMatchObject([{ status: 'applied' }])
    expect(body.conflicts).toMatchObject([{ key, resolution: 'kept-client' }])
    expect((await b.sync({ batch: index + 1, changes: [change] })).body.replayed).toBe(true)
  }
})
