import { expect, test } from 'vitest'
import { device, send, twoDevices } from '../../support/worker/client.ts'
import { currentValue, diverged, T, write } from '../../support/worker/divergence.ts'

test('[BV1] treats a write as on base if the value that the client saw is current', async () => {
  const { b } = await diverged('l/1', [{ n: 1 }, { n: 2, m: 1 }])
  const on = await write(b, { key: 'l/1', value: 3, baseValue: { m: 1, n: 2 }, timestamp: 1 })
  expect(on).toMatchObject({ conflicts: [], results: [{ status: 'applied' }] })
  const beside = await write(b, { key: 'l/1', value: 4, baseValue: { n: 1 }, timestamp: T + 9 })
  expect(beside.conflicts).toMatchObject([{ loser: { value: 3 } }])
})

test('[BV1] treats a base value of null as a value: on base if null is current, concurrent if it is not', async () => {
  const { a, b } = await diverged('x/null', [1, null])
  const onBase = { key: 'x/null', value: 2, timestamp: 1, baseValue: null }
  expect((await write(b, onBase)).results).toMatchObject([{ status: 'applied' }])
  expect(await currentValue(a, 'x/null')).toBe(2)
  const late = await write(a, { key: 'x/null', value: 3, timestamp: 1, baseValue: null })
  // A blind write would be resolved by the clock; a concurrent one is held under manual.
  expect(late.results).toMatchObject([{ status: 'conflict' }])
  expect(late.conflicts).toHaveLength(1)
})

test('[BV1] accepts the value before the first edit as the base of edits made before its reply arrived', async () => {
  const { b } = await diverged('l/1', [1, 2])
  await write(b, { key: 'l/1', value: 3, baseValue: 2 })
  const second = await write(b, { key: 'l/1', value: 4, baseValue: 2, timestamp: 1 })
  expect(second).toMatchObject({ conflicts: [], results: [{ status: 'applied' }] })
})

test('[BV2] merges on the value that the client names', async () => {
  const { b } = await diverged('m/1', [{ n: 1 }, { n: 1, a: 1 }])
  const reply = await write(b, { key: 'm/1', value: { n: 1, b: 1 }, baseValue: { n: 1 } })
  expect(reply.results).toMatchObject([{ status: 'merged', value: { n: 1, a: 1, b: 1 } }])
})

test('[BV3] reads baseDeleted as believed deleted or absent', async () => {
  const [a, b] = await twoDevices()
  expect((await write(a, { key: 'l/1', value: 1, baseDeleted: true })).results[0].status).toBe('applied')
  const late = await write(b, { key: 'l/1', value: 2, baseDeleted: true, timestamp: T + 1 })
  expect(late.conflicts).toMatchObject([{ loser: { value: 1 } }])
  await write(b, { key: 'l/1', deleted: true, baseValue: 2 })
  const anew = await write(a, { key: 'l/1', value: 3, baseDeleted: true, baseValue: 2 })
  expect(anew).toMatchObject({ conflicts: [], results: [{ status: 'applied' }] })
})

test('[BV4] refuses a base together with a base value, and counts the base value as part of a retry', async () => {
  const a = await device()
  const both = { key: 'l/1', value: 1, timestamp: T, base: null, baseValue: 1 }
  expect(await a.sync({ changes: [both] })).toMatchObject({ status: 422, body: { code: 'invalid-request' } })
  const changes = [{ key: 'l/1', value: 1, timestamp: T, baseValue: 1 }]
  await a.sync({ batch: 1, changes })
  expect((await a.sync({ batch: 1, changes })).body.replayed).toBe(true)
  const others = [{ ...changes[0], baseValue: 2 }]
  expect((await a.sync({ batch: 1, changes: others })).body.code).toBe('batch-mismatch')
})

test('[SG1] stores and returns a batch whose canonical text is far longer than its body', async () => {
  const a = await device()
  const numbers = `[${'1e20,'.repeat(11_000)}1e20]`
  const changes = Array.from({ length: 12 }, (_, n) => `{"key":"l/${n}","value":${numbers},"timestamp":${T}}`)
  const reply = await send('POST', '/api/sync', {
    bearer: a.session,
    text: `{"changes":[${changes.join(',')}]}`,
  })
  expect(reply.body.success).toBe(true)
  expect(await currentValue(a, 'l/11')).toHaveLength(11_001)
})

test('[SY7] treats the same content as no change, even past the 8 MiB that a batch is compared with', async () => {
  const [a, b] = await twoDevices()
  const value = (n: number) => `${n}`.padEnd(240_000, 'v')
  for (let n = 0; n < 40; n += 4) {
    const changes = [n, n + 1, n + 2, n + 3].map((key) => ({
      key: `l/${key}`,
      value: value(key),
      timestamp: T,
    }))
    await a.sync({ changes })
  }
  const changes = Array.from({ length: 40 }, (_, n) => {
    const isSame = n === 0 || n === 38
    return { key: `l/${n}`, value: isSame ? value(n) : n, timestamp: T - 1, base: 'other.1' }
  })
  const { body } = await b.sync({ batch: 1, changes })
  const statuses = body.results.map(({ status }: { status: string }) => status)
  expect(statuses).toEqual(changes.map((_, n) => (n === 0 || n === 38 ? 'noop' : 'superseded')))
  expect(body.conflicts).toHaveLength(38)
  for (const { winner, loser } of body.conflicts) {
    // A side is shown whole: content that was not kept is re-read, or left out as too long.
    expect(winner.omitted === true || winner.value?.length === 240_000).toBe(true)
    expect(loser.omitted === true || typeof loser.value === 'number').toBe(true)
  }
})

test('[BV1] treats a current value as the base, even past the 8 MiB that a batch is compared with', async () => {
  const [a, b] = await twoDevices()
  const value = (n: number) => `${n}`.padEnd(240_000, 'v')
  for (let n = 0; n < 40; n += 4) {
    const keys = [n, n + 1, n + 2, n + 3]
    await a.sync({ changes: keys.map((key) => ({ key: `l/${key}`, value: value(key), timestamp: T })) })
  }
  const changes = Array.from({ length: 40 }, (_, n) => {
    return { key: `l/${n}`, value: n, timestamp: 1, ...(n < 37 ? { base: 'x.1' } : { baseValue: value(n) }) }
  })
  const { body } = await b.sync({ batch: 1, changes })
  const last = body.results.slice(37).map(({ status }: { status: string }) => status)
  expect(last).toEqual(['applied', 'applied', 'applied'])
  expect(body.conflicts).toHaveLength(37)
})
