import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { DAY_MS } from '../../../worker/src/core/values/limits.ts'
import { pull } from '../../../worker/src/objects/read/pull.ts'
import { openVersions } from '../../../worker/src/objects/space/log.ts'
import { upkeep } from '../../../worker/src/objects/upkeep/upkeep.ts'
import { age, within } from '../../support/worker/ageing.ts'
import { newSpace } from '../../support/worker/client.ts'
import { sessionOf } from '../../support/worker/session.ts'
import { conflicts, feed, fill, frames, T } from './whole-space.ts'

const session = sessionOf()

test('[LC2] keeps replaced versions and losers readable for the retention, then drops them', async () => {
  const { space, a, b } = await newSpace()
  await fill({ a, b })
  await age(space, 1)
  const kept = [...(await frames(space, 'segment')), ...(await frames(space, 'archive'))]
  const previous = new Map<number, number>()
  for (const { slots } of kept) for (const slot of slots) previous.set(slot.seq, slot.previous)
  const { head } = (await a.get('/api/status')).body
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

test('[LC2] keeps the versions of an open conflict and their row for ever', async () => {
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

test('[LC3] drops a tombstone after its retention, counted from its arrival', async () => {
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

test('[ST1] tells up to where deletions are forgotten, and when upkeep last went through the log', async () => {
  const { space, a } = await newSpace()
  const status = async () => (await a.get('/api/status')).body
  await a.sync({ changes: [{ key: 'k', value: 1, timestamp: T }] })
  const { version } = (await a.sync({ changes: [{ key: 'k', deleted: true, timestamp: T + 1 }] })).body
    .results[0]
  const { epoch } = await status()
  expect(await status()).toMatchObject({ floor: `${epoch}.0`, lastUpkeep: null })
  const before = Date.now()
  await age(space, 1)
  expect(await status()).toMatchObject({ floor: `${epoch}.0`, lastUpkeep: expect.any(Number) })
  await age(space, 200)
  const { floor, lastUpkeep } = await status()
  expect(floor).toBe(version)
  expect(lastUpkeep).toBeGreaterThanOrEqual(before + 200 * DAY_MS)
})

test('[FE10] lets a reader from the start page below the floor, and resets it if it may miss a deletion', async () => {
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

test('[FE10] re-reads a page during which a tombstone is dropped', async () => {
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
