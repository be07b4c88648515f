import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import type { Session } from '../../../worker/src/core/access/session.ts'
import { readEntry } from '../../../worker/src/objects/read/entry.ts'
import { pull } from '../../../worker/src/objects/read/pull.ts'
import { upkeep } from '../../../worker/src/objects/upkeep/upkeep.ts'
import { sync } from '../../../worker/src/objects/write/sync.ts'
import { age, whileSealing, within } from '../../support/worker/ageing.ts'
import { type Device, device, mint, newSpace, send } from '../../support/worker/client.ts'
import { sessionOf } from '../../support/worker/session.ts'
import { conflicts, count, feed, fill, frames, T, text } from './whole-space.ts'

const session = sessionOf()

async function status(by: Device): Promise<{ head: string; entries: number }> {
  const { head, entries } = (await by.get('/api/status')).body
  return { head, entries }
}

test('[LC1] changes nothing that clients see during a pass', async () => {
  const { space, a, b } = await newSpace()
  await fill({ a, b })
  const before = { feed: await feed(a, 500), conflicts: await conflicts(a), status: await status(a) }
  expect(before.conflicts).not.toEqual([])
  const heads = Number(await count(space, 'SELECT count(*) FROM head'))
  const superseded = Number(before.status.head.split('.')[1]) - heads
  expect(superseded).toBeGreaterThan(100)
  expect(await count(space, 'SELECT superseded FROM segment ORDER BY first DESC LIMIT 1')).toBe(superseded)
  await age(space, 1)
  expect(await count(space, 'SELECT superseded FROM segment ORDER BY first DESC LIMIT 1')).toBe(0)
  for (const limit of [1, 7, 500]) expect(await feed(a, limit)).toEqual(before.feed)
  expect(await conflicts(a)).toEqual(before.conflicts)
  expect(await status(a)).toEqual(before.status)
  const [head] = (await feed(a, 500)) as { key: string; version: string }[]
  const { body } = await a.sync({
    changes: [{ key: head?.key, value: 1, timestamp: T, base: head?.version }],
  })
  expect(body.results).toMatchObject([{ status: 'applied' }])
})

test('[LC1] continues a cursor from before a pass, with new batches behind it', async () => {
  const { space, a, b } = await newSpace()
  await fill({ a, b }, 3)
  const { cursor } = (await a.sync({ changes: [], cursor: null })).body
  await fill({ a, b }, 4)
  const rest = (await a.sync({ changes: [], cursor })).body
  await age(space, 1)
  expect((await a.sync({ changes: [], cursor })).body.changes).toEqual(rest.changes)
  await b.sync({ changes: [{ key: 'new/1', value: 1, timestamp: T }] })
  const { body } = await a.sync({ changes: [], cursor: rest.cursor })
  expect(body).toMatchObject({ reset: false, changes: [{ key: 'new/1' }] })
})

test('[LC1] keeps the latest sequence number of a space whose newest versions all lost', async () => {
  const { space, a, b } = await newSpace()
  await a.sync({ changes: [{ key: 'k', value: 1, timestamp: T }] })
  await age(space, 1)
  await b.sync({ changes: [{ key: 'k', value: 2, timestamp: T - 1 }] })
  const before = await status(a)
  await age(space, 2)
  expect(await status(a)).toEqual(before)
  expect(await conflicts(a)).toMatchObject([{ winner: { value: 1 }, loser: { value: 2 } }])
  await a.sync({ changes: [{ key: 'z', value: 3, timestamp: T }] })
  await age(space, 3)
  expect(await feed(b, 1)).toMatchObject([{ key: 'k' }, { key: 'z' }])
})

test('[LC4] reads correctly while a pass runs between the awaits', async () => {
  const { space, a, b } = await newSpace()
  await fill({ a, b })
  const before = await feed(a, 500)
  const [{ key }] = before as [{ key: string }]
  await within(space, async (open) => {
    const now = Date.now()
    await open.refreshConfig(now)
    const reads = Array.from({ length: 40 }, async (_, pause) => {
      for (let turn = 0; turn < pause * 4; turn++) await Promise.resolve()
      const page = await pull(open, session, { query: { cursor: null }, wrote: null })
      const entry = await readEntry(open, session, key)
      expect(page.entries.map((entry) => JSON.parse(entry))).toEqual(before)
      expect(entry.ok && JSON.parse(entry.value)).toEqual(before[0])
    })
    await Promise.all([...reads, upkeep(open, now)])
    expect(open.state.superseded).toBe(0)
  })
})

test('[LC4] continues a pass that was cut off after any slice', async () => {
  const { space, a, b } = await newSpace()
  for (let round = 0; round < 7; round++) {
    const big = Array.from({ length: 6 }, (_, index) => ({
      key: `big/${index % 4}`,
      value: `${round}`.padEnd(150_000, 'x'),
      timestamp: T + round,
    }))
    await a.sync({ changes: big })
    await fill({ a, b }, 2)
  }
  const before = { feed: await feed(a, 500), conflicts: await conflicts(a) }
  let rounds = 0
  for (let next: number | null = 0; next === 0; rounds++) {
    next = (await age(space, 1, { rounds: 1 })).next
    expect(await feed(a, 500)).toEqual(before.feed)
    if (rounds === 1) await b.sync({ changes: [{ key: 'between', value: 1, timestamp: T }] })
    if (rounds === 1) before.feed = await feed(a, 500)
  }
  expect(rounds).toBeGreaterThan(3)
  expect(await conflicts(a)).toEqual(before.conflicts)
  expect(await count(space, 'SELECT superseded FROM segment ORDER BY first DESC LIMIT 1')).toBe(0)
})

test('[LC4] counts versions that a batch replaces during a pass for the next pass', async () => {
  const { space, a, b } = await newSpace()
  await fill({ a, b })
  const [{ key }] = (await feed(a, 500)) as [{ key: string }]
  const counted = await within(space, async (open) => {
    const text = JSON.stringify({ changes: [{ key, value: 'new', timestamp: T + 50_000 }] })
    const writer: Session = { ...session, scopes: ['sync:write'] }
    await whileSealing(open, () => sync(open, writer, { text, now: Date.now() }))
    await upkeep(open, Date.now())
    return open.state.superseded
  })
  expect(counted).toBe(1)
  const log = (await frames(space, 'segment')).flatMap(({ slots }) => slots.map(({ seq }) => seq))
  expect(log.length - Number(await count(space, 'SELECT count(*) FROM head'))).toBe(1)
  expect(await count(space, 'SELECT superseded FROM segment ORDER BY first DESC LIMIT 1')).toBe(1)
  expect((await feed(a, 500)).at(-1)).toMatchObject({ key, value: 'new' })
})

test('[LC5] re-seals in a pass what an older master key sealed', async () => {
  const { space, a, b } = await newSpace()
  await fill({ a, b })
  const before = await feed(a, 500)
  await age(space, 1)
  const masterKeys = `2:${btoa('n'.repeat(32))} ${env.MASTER_KEY}`
  await age(space, 2, { masterKeys })
  expect(new Set((await frames(space, 'segment')).map(({ g }) => g))).toEqual(new Set([2]))
  const newestOnly = { masterKeys: masterKeys.split(' ')[0] as string, rounds: 1 }
  expect((await age(space, 40, newestOnly)).next).not.toBe(0)
  await age(space, 41, { masterKeys: `3:${btoa('o'.repeat(32))} ${masterKeys}` })
  await age(space, 42, { masterKeys: `4:${env.MASTER_KEY.slice(2)} 3:${btoa('o'.repeat(32))}` })
  expect(before.length).toBe((await frames(space, 'segment')).flatMap(({ slots }) => slots).length)
})

test('[LC6] reads about as much as a page returns after a pass, however hot a key was', async () => {
  const { space, a } = await newSpace()
  await a.sync({ changes: [{ key: 'cold', value: 1, timestamp: T }] })
  for (let round = 0; round < 20; round++) {
    const changes = Array.from({ length: 500 }, (_, index) => {
      return { key: 'hot', value: text(round, index).slice(0, 40), timestamp: T + round * 500 + index }
    })
    await a.sync({ changes })
  }
  const bytes = 'SELECT sum(length(body)) FROM segment'
  const large = await count(space, bytes)
  const effort = await age(space, 0)
  expect(await count(space, bytes)).toBeLessThan(500)
  expect(await feed(a, 500)).toMatchObject([{ key: 'cold' }, { key: 'hot' }])
  console.info(
    `10,000 writes of a key: ${large} bytes of log, a pass of ${effort.rounds} rounds wrote ${effort.rowsWritten} rows`,
  )
  expect(effort.rowsWritten).toBeLessThan(200)
})

test('[LC7] wakes a space soon if half of it is superseded, daily while anything ages, otherwise never', async () => {
  const { space, a, b } = await newSpace()
  const stub = env.CHRONICLE.getByName(space)
  const alarm = async () => {
    const at = await runInDurableObject(stub, (_, { storage }) => storage.getAlarm())
    return at === null ? null : Math.round((at - Date.now()) / 1000)
  }
  await a.sync({ changes: [{ key: 'k', value: 1, timestamp: T }] })
  expect(await alarm()).toBeNull()
  await a.sync({ changes: [{ key: 'k', value: 2, timestamp: T + 1 }] })
  expect(await alarm()).toBe(86_400)
  const heavy = Array.from({ length: 500 }, (_, n) => ({ key: 'k', value: n, timestamp: T + n + 2 }))
  await a.sync({ changes: heavy })
  expect(await alarm()).toBe(86_400)
  await a.sync({ changes: heavy.map((change) => ({ ...change, timestamp: T + 600 })) })
  await b.sync({
    changes: heavy.map((change) => ({ ...change, value: `b${change.value}`, timestamp: T + 700 })),
  })
  expect(await alarm()).toBeLessThanOrEqual(10)
  expect(await runDurableObjectAlarm(stub)).toBe(true)
  expect(await count(space, 'SELECT superseded FROM segment ORDER BY first DESC LIMIT 1')).toBe(0)
  expect(await alarm()).toBe(86_400)
  expect((await age(space, 31)).next).toBeNull()
})

test('[LC7] leaves an erased space without an alarm, once it has told the registry', async () => {
  const space = crypto.randomUUID()
  const a = await device(await mint({ space, scopes: ['sync:read', 'sync:write', 'space:admin'] }))
  for (const n of [1, 2]) await a.sync({ changes: [{ key: 'k', value: n, timestamp: n }] })
  await send('DELETE', '/api/space', { bearer: a.session, body: { confirm: space } })
  const stub = env.CHRONICLE.getByName(space)
  expect(await runDurableObjectAlarm(stub)).toBe(true)
  expect(await runInDurableObject(stub, (_, { storage }) => storage.getAlarm())).toBeNull()
  const again = await device(await mint({ space }))
  for (const n of [1, 2]) await again.sync({ changes: [{ key: 'k', value: n, timestamp: n }] })
  expect(await runInDurableObject(stub, (_, { storage }) => storage.getAlarm())).not.toBeNull()
})
