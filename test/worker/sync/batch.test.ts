import { expect, test } from 'vitest'
import { configure, device, twoDevices } from '../../support/worker/client.ts'

const T = Date.now() - 60_000
const one = [{ key: 'n/1', value: { a: 1, b: 2 }, timestamp: T, base: null }]

test('[BA1] applies a repeated numbered batch once, and returns the same results', async () => {
  const a = await device()
  const first = await a.sync({ batch: 1, changes: one, cursor: null })
  const again = await a.sync({ batch: 1, changes: one, cursor: null })
  expect(first.body.replayed).toBe(false)
  expect(again.body).toMatchObject({ replayed: true, results: first.body.results, head: first.body.head })
})

test('[BA1] accepts a retry with another cursor, clientTime or key order', async () => {
  const a = await device()
  const first = await a.sync({ batch: 1, changes: one })
  const changes = [{ base: null, timestamp: T, value: { b: 2, a: 1 }, key: 'n/1' }]
  const again = await a.sync({ batch: 1, changes, cursor: null, clientTime: 5 })
  expect(again.body).toMatchObject({ replayed: true, results: first.body.results })
})

test('[BA1] repeats rejections, noops, clamped times and conflicts in a replay', async () => {
  const [a, b] = await twoDevices()
  await a.sync({
    changes: [
      { key: 'n/1', value: 1, timestamp: T },
      { key: 'n/2', value: 2, timestamp: T },
    ],
  })
  const changes = [
    { key: 'n/1', value: 'lost', timestamp: 1, base: null },
    { key: 'n/2', value: 'won', timestamp: T + 1, base: null },
    { key: 'n/3', timestamp: T },
    { key: 'n/1', value: 1, timestamp: T },
    { key: 'n/4', value: 4, timestamp: Number.MAX_SAFE_INTEGER },
  ]
  const first = await b.sync({ batch: 1, changes })
  const again = await b.sync({ batch: 1, changes })
  const statuses = first.body.results.map(({ status }: { status: string }) => status)
  expect(statuses).toEqual(['superseded', 'applied', 'rejected', 'noop', 'applied'])
  const { serverTime: _, replayed, ...same } = again.body
  expect(replayed).toBe(true)
  expect(first.body).toMatchObject(same)
  expect(first.body.conflicts).toHaveLength(2)
})

test('[BA2] refuses other changes under a used number, and stores none of them', async () => {
  const a = await device()
  await a.sync({ batch: 1, changes: one })
  const reply = await a.sync({ batch: 1, changes: [{ key: 'n/2', value: 2, timestamp: T }] })
  expect(reply.body).toMatchObject({ status: 409, code: 'batch-mismatch', expected: 2, success: false })
  const atomic = await a.sync({ batch: 1, changes: one, atomic: true })
  expect(atomic.body.code).toBe('batch-mismatch')
  expect((await a.get('/api/entries?key=n/2')).status).toBe(404)
})

test('[BA3] refuses a batch that leaves out a number, and stores none of it', async () => {
  const a = await device()
  const early = await a.sync({ batch: 2, changes: one })
  expect(early.body).toMatchObject({ status: 409, code: 'batch-gap', expected: 1 })
  await a.sync({ batch: 1, changes: [] })
  const gap = await a.sync({ batch: 3, changes: one })
  expect(gap.body).toMatchObject({ code: 'batch-gap', expected: 2 })
  expect((await a.get('/api/status')).body).toMatchObject({ entries: 0 })
})

test('[BA4] refuses a batch older than the last, and names the next number', async () => {
  const a = await device()
  await a.sync({ batch: 1, changes: [] })
  await a.sync({ batch: 2, changes: [] })
  expect((await a.sync({ batch: 1, changes: [] })).body).toMatchObject({
    status: 409,
    code: 'batch-too-old',
    expected: 3,
  })
})

test('[BA5] uses up no version for a batch that changes nothing, but records its number', async () => {
  const a = await device()
  const before = (await a.sync({ batch: 1, changes: one })).body.head
  const { body } = await a.sync({ batch: 2, changes: [{ key: 'n/1', timestamp: T }] })
  expect(body.head).toBe(before)
  expect((await a.sync({ batch: 3, changes: [] })).status).toBe(200)
})

test('[BA6] treats the same content without a number as a noop', async () => {
  const a = await device()
  const blind = [{ key: 'n/1', value: 1, timestamp: T }]
  const first = await a.sync({ changes: blind })
  const again = await a.sync({ changes: blind })
  expect(again.body.results).toMatchObject([{ status: 'noop', version: first.body.results[0].version }])
  const based = [{ key: 'n/1', value: 2, timestamp: T, base: first.body.results[0].version }]
  const second = await a.sync({ changes: based })
  expect((await a.sync({ changes: based })).body).toMatchObject({
    head: second.body.head,
    results: [{ status: 'noop' }],
  })
})

test('[BA7] applies the batches of concurrent connections one after the other, each once', async () => {
  const devices = await twoDevices()
  const writes = devices.flatMap((by) =>
    Array.from({ length: 20 }, (_, index) =>
      by.sync({ changes: [{ key: 'hot', value: [by.id, index], timestamp: T + index }] }),
    ),
  )
  const replies = await Promise.all(writes)
  const versions = replies.flatMap(({ body }) =>
    body.results.map(({ version }: { version: string }) => version),
  )
  expect(replies.every(({ status }) => status === 200)).toBe(true)
  const { body } = await devices[0].get('/api/status')
  expect(body).toMatchObject({ entries: 1 })
  expect(versions).toHaveLength(40)
})

test('[BA10] names the conflict in each result even if a key comes twice, also in a replay', async () => {
  await configure({ policies: { m: 'merge', q: 'manual' } })
  const [a, b] = await twoDevices()
  const put = (key: string, value: object) => ({ key, value, timestamp: T, base: null })
  await a.sync({ changes: ['n/1', 'n/2', 'q/1', 'm/1'].map((key) => put(key, { x: 1 })) })
  const changes = [
    { ...put('n/1', { x: 2 }), timestamp: T - 1 },
    put('n/2', { x: 2 }),
    { key: 'n/2', deleted: true, timestamp: T, base: 'unknown' },
    put('n/new', {}),
    put('q/1', { x: 2 }),
    put('q/1', { x: 3 }),
    { ...put('m/1', { x: 2, y: 1 }), timestamp: T - 1 },
    { key: '', value: 1, timestamp: T },
  ]
  const { body } = await b.sync({ batch: 1, changes })
  const named = body.results.map(({ conflict }: { conflict?: number }) => conflict)
  const { conflicts } = body as { conflicts: { id: number; key: string }[] }
  expect(named.filter((id: unknown) => id !== undefined)).toEqual(conflicts.map(({ id }) => id))
  for (const { key, conflict } of body.results) {
    if (conflict !== undefined) expect(conflicts.find(({ id }) => id === conflict)?.key).toBe(key)
  }
  expect(named.map((id: unknown) => id !== undefined)).toEqual([
    true,
    true,
    false,
    false,
    true,
    true,
    true,
    false,
  ])
  expect((await b.sync({ batch: 1, changes })).body).toMatchObject({ replayed: true, results: body.results })
  const atomic = await b.sync({
    batch: 2,
    atomic: true,
    changes: [{ ...put('n/1', { x: 4 }), timestamp: 1 }],
  })
  expect(atomic.body.results).toEqual([{ key: 'n/1', status: 'superseded', version: expect.any(String) }])
})
