import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import type { Session } from '../../worker/src/core/access/session.ts'
import { decodeChunks } from '../../worker/src/core/log/chunk.ts'
import type { ChunkHeader } from '../../worker/src/core/log/chunk-header.ts'
import { readEntry } from '../../worker/src/objects/read/entry.ts'
import { pull } from '../../worker/src/objects/read/pull.ts'
import { openVersions } from '../../worker/src/objects/space/log.ts'
import { upkeep } from '../../worker/src/objects/upkeep/upkeep.ts'
import { sync } from '../../worker/src/objects/write/sync.ts'
import { age, whileSealing, within } from './ageing.ts'
import { type Device, device, mint, newSpace, send } from './client.ts'
import { sessionOf } from './session.ts'

const T = Date.now() - 60_000

const session = sessionOf()

/** Writes keys again and again, some deleted, some in conflict; large enough for several rows. */
async function fill({ a, b }: { a: Device; b: Device }, rounds = 12): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    const changes = Array.from({ length: 40 }, (_, index) => {
      const key = `k/${(round * 7 + index * 4) % 90}`
      const timestamp = T + round * 100 + index
      return index % 9 === 0
        ? { key, deleted: true, timestamp }
        : { key, value: text(round, index), timestamp }
    })
    expect((await (round % 3 === 0 ? b : a).sync({ changes })).body.success).toBe(true)
  }
}

function text(round: number, index: number): string {
  return `${round}.${index} ключ `.repeat(20)
}

async function feed(by: Device, limit: number): Promise<unknown[]> {
  const entries: unknown[] = []
  for (let cursor: string | null = null; ; ) {
    const { body } = await by.sync({ changes: [], cursor, limit })
    expect(body.reset).toBe(false)
    entries.push(...body.changes)
    cursor = body.cursor
    if (!body.more) return entries
  }
}

/** All pages: where one ends depends on how much had to be read for it. */
async function conflicts(by: Device): Promise<unknown[]> {
  const found: unknown[] = []
  for (let after = 0; ; ) {
    const { body } = await by.get(`/api/conflicts?after=${after}`)
    found.push(...body.conflicts)
    if (body.next === null) return found
    after = body.next
  }
}

async function status(by: Device): Promise<{ head: string; entries: number }> {
  const { head, entries } = (await by.get('/api/status')).body
  return { head, entries }
}

/** Every frame that is kept: in the log, or apart from it. */
function frames(space: string, table: 'segment' | 'archive'): Promise<readonly ChunkHeader[]> {
  return runInDurableObject(env.CHRONICLE.getByName(space), (_, { storage }) =>
    storage.sql
      .exec<{ body: ArrayBuffer }>(`SELECT body FROM ${table} ORDER BY first`)
      .toArray()
      .flatMap(({ body }) => decodeChunks(new Uint8Array(body)))
      .map(({ header }) => header),
  )
}

function count(space: string, query: string): Promise<unknown> {
  return runInDurableObject(env.CHRONICLE.getByName(space), (_, { storage }) =>
    Object.values(storage.sql.exec(query).one()).at(0),
  )
}

test('[LC1] a pass changes nothing that clients see', async () => {
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

test('[LC1] a cursor from before a pass goes on after it, and new batches come behind it', async () => {
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

test('[LC1] a space whose newest versions all lost keeps its place in the order', async () => {
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

test('[LC2] replaced versions and losers stay readable for the retention, then go', async () => {
  const { space, a, b } = await newSpace()
  await fill({ a, b })
  await age(space, 1)
  const kept = [...(await frames(space, 'segment')), ...(await frames(space, 'archive'))]
  const previous = new Map<number, number>()
  for (const { slots } of kept) for (const slot of slots) previous.set(slot.seq, slot.previous)
  const { head } = await status(a)
  expect(previous.size).toBe(Number(head.split('.')[1]))
  const opened = await within(space, (open) => openVersions(open, previous.keys()))
  for (const [seq, before] of previous) {
    if (before !== 0) expect(opened.get(before)?.key).toBe(opened.get(seq)?.key)
  }
  await age(space, 30.5)
  expect(await frames(space, 'archive')).not.toEqual([])
  await age(space, 32)
  expect(await frames(space, 'archive')).toEqual([])
  expect(await conflicts(a)).toEqual([])
  expect((await feed(a, 500)).length).toBeGreaterThan(50)
})

test('[LC2] what an open conflict speaks of is kept for ever, and its row with it', async () => {
  const { space, a, b } = await newSpace()
  for (const device of [a, b]) {
    await device.sync({ changes: [{ key: 'open', value: device.id, timestamp: T }] })
    await device.sync({ changes: [{ key: 'settled', value: device.id, timestamp: T }] })
  }
  await runInDurableObject(env.CHRONICLE.getByName(space), (_, { storage }) => {
    storage.sql.exec('UPDATE conflict SET open = 1 WHERE id = 3')
  })
  await age(space, 1)
  await age(space, 400)
  expect(await conflicts(a)).toMatchObject([{ key: 'open', loser: { value: 'a' }, winner: { value: 'b' } }])
  await runInDurableObject(env.CHRONICLE.getByName(space), (_, { storage }) => {
    storage.sql.exec('UPDATE conflict SET open = 0, at = ?', Date.now() + 400 * 86_400_000)
  })
  await age(space, 401)
  expect(await conflicts(a)).toHaveLength(1)
  await age(space, 431)
  expect(await conflicts(a)).toEqual([])
  expect(await frames(space, 'archive')).toEqual([])
})

test('[LC3] a deletion is forgotten after its time, counted from its arrival', async () => {
  const { space, a, b } = await newSpace()
  await a.sync({
    changes: [
      { key: 'k', value: 1, timestamp: 1 },
      { key: 'stays', value: 2, timestamp: 1 },
    ],
  })
  const offline = (await b.sync({ changes: [], cursor: null })).body.cursor
  await a.sync({ changes: [{ key: 'k', deleted: true, timestamp: 2 }] })
  const online = (await b.sync({ changes: [], cursor: null })).body
  await age(space, 89)
  expect(await feed(a, 500)).toMatchObject([{ key: 'stays' }, { key: 'k', deleted: true }])
  expect((await b.sync({ changes: [], cursor: offline })).body).toMatchObject({
    reset: false,
    changes: [{ key: 'k', deleted: true }],
  })
  await age(space, 91)
  expect(await feed(a, 500)).toMatchObject([{ key: 'stays' }])
  expect((await b.sync({ changes: [], cursor: offline })).body).toMatchObject({
    reset: true,
    changes: [{ key: 'stays' }],
  })
  expect((await b.sync({ changes: [], cursor: online.cursor })).body).toMatchObject({
    reset: false,
    changes: [],
  })
  await age(space, 105)
  await age(space, 136)
  const live = (await frames(space, 'segment')).flatMap(({ slots }) => slots.map(({ seq }) => seq))
  expect(live).toEqual([2])
  expect(await frames(space, 'archive')).toEqual([])
})

test('[FE10] a reader from nothing pages through below the floor, and starts over for a deletion it may miss', async () => {
  const { space, a, b } = await newSpace()
  const keys = ['k/1', 'k/2', 'k/3', 'k/4', 'k/5']
  await a.sync({ changes: keys.map((key) => ({ key, value: key, timestamp: T })) })
  await a.sync({ changes: [{ key: 'gone', value: 1, timestamp: T }] })
  await a.sync({ changes: [{ key: 'gone', deleted: true, timestamp: T + 1 }] })
  await age(space, 91)
  expect(await feed(b, 1)).toHaveLength(5)
  const page = (await b.sync({ changes: [], cursor: null, limit: 2 })).body
  expect(page).toMatchObject({ more: true, changes: [{ key: 'k/1' }, { key: 'k/2' }] })
  expect((await b.get(`/api/status?cursor=${page.cursor}`)).body.pending).toBe(5)

  await a.sync({ changes: [{ key: 'k/1', deleted: true, timestamp: T + 1 }] })
  await age(space, 92)
  expect((await b.sync({ changes: [], cursor: page.cursor, limit: 2 })).body).toMatchObject({
    reset: true,
    changes: [{ key: 'k/2' }, { key: 'k/3' }],
  })
})

test('[FE10] a page during which a deletion is forgotten is read again', async () => {
  const { space, a } = await newSpace()
  await a.sync({ changes: [{ key: 'k', value: 1, timestamp: T }] })
  const { cursor } = (await a.sync({ changes: [], cursor: null })).body
  await a.sync({ changes: [{ key: 'k', deleted: true, timestamp: T + 1 }] })
  await within(space, async (open) => {
    const later = Date.now() + 91 * 86_400_000
    await open.refreshConfig(later)
    const reading = pull(open, session, { query: { cursor }, wrote: null })
    const [{ fields, entries }] = await Promise.all([reading, upkeep(open, later)])
    expect(open.state.floor).toBe(2)
    expect([fields.reset, entries.length]).toEqual([true, 0])
  })
})

test('[LC4] reads that meet a pass between their awaits are right', async () => {
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

test('[LC4] a pass that is cut off after any piece of it goes on where it was', async () => {
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

test('[LC4] a batch that replaces what a pass is sealing is counted for the next one', async () => {
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

test('[LC5] a pass seals anew what an older master key sealed', async () => {
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

test('[LC6] after a pass a page reads about what it returns, however hot a key was', async () => {
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

test('[LC7] a space wakes soon when half of it is superseded, daily while anything ages, and else not at all', async () => {
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

test('[LC7] an erased space has no alarm', async () => {
  const space = crypto.randomUUID()
  const a = await device(await mint({ space, scopes: ['sync:read', 'sync:write', 'space:admin'] }))
  for (const n of [1, 2]) await a.sync({ changes: [{ key: 'k', value: n, timestamp: n }] })
  await send('DELETE', '/api/space', { bearer: a.session, body: { confirm: space } })
  const stub = env.CHRONICLE.getByName(space)
  expect(await runInDurableObject(stub, (_, { storage }) => storage.getAlarm())).toBeNull()
  const again = await device(await mint({ space }))
  for (const n of [1, 2]) await again.sync({ changes: [{ key: 'k', value: n, timestamp: n }] })
  expect(await runInDurableObject(stub, (_, { storage }) => storage.getAlarm())).not.toBeNull()
})
