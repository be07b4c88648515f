import { createLiveQueryCollection, gt } from '@tanstack/db'
import { expect, test } from 'vitest'
import { Random } from '../simulation/values/random.ts'
import { newSpace } from './network.ts'
import {
  change,
  type Device,
  device,
  goOffline,
  losersOf,
  pair,
  persisted,
  settle,
  stateOf,
  sync,
} from './tanstack-device.ts'

/** Waits until the clocks of two edits differ. */
function later(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5))
}

test('[IT6] keeps and shows an edit at once without a network, and sends it later', async () => {
  const [ann, bob] = await pair()
  goOffline(ann)
  await persisted(ann.rows.insert({ id: '1', title: 'milk' }))
  expect(stateOf(ann)).toEqual({ 1: { id: '1', title: 'milk' } })
  expect(ann.db.status.getSnapshot().pending).toBe(1)
  expect(await settle(ann, bob)).toEqual({ 1: { id: '1', title: 'milk' } })
  const stored = await bob.read<{ value: unknown }>('/api/entries?key=tasks/1')
  expect(stored.value).toEqual({ id: '1', title: 'milk' })
})

test('[IT6] syncs different rows that were inserted, changed and deleted offline', async () => {
  const [ann, bob] = await pair()
  goOffline(ann, bob)
  await persisted(...['1', '2', '3'].map((id) => ann.rows.insert({ id, title: `a${id}` })))
  await persisted(...['4', '5'].map((id) => bob.rows.insert({ id, title: `b${id}` })))
  await settle(ann, bob)
  goOffline(ann, bob)
  const edited = change(ann, '4', { title: 'changed' })
  await persisted(edited, bob.rows.delete('1'), bob.rows.delete('5'), ann.rows.insert({ id: '6' }))
  expect(Object.values(await settle(ann, bob))).toEqual([
    { id: '2', title: 'a2' },
    { id: '3', title: 'a3' },
    { id: '4', title: 'changed' },
    { id: '6' },
  ])
  expect(await losersOf(ann)).toEqual([])
})

test('[IT6] shows the same one of two edits of a row on both devices, and keeps the other readable', async () => {
  const [ann, bob] = await pair()
  await persisted(ann.rows.insert({ id: '1', title: 'milk' }))
  await settle(ann, bob)
  goOffline(ann, bob)
  await persisted(change(ann, '1', { title: 'oat' }))
  await later()
  await persisted(change(bob, '1', { title: 'soy' }))
  expect(await settle(bob, ann)).toEqual({ 1: { id: '1', title: 'soy' } })
  expect(await losersOf(ann)).toEqual([{ id: '1', title: 'oat' }])
  expect(ann.db.troubles.getSnapshot()).toMatchObject([{ status: 'superseded', mine: { title: 'oat' } }])
  expect(ann.rows.get('1')?.$status).toBe('superseded')
})

test('[IT6] keeps edits of two fields under merge', async () => {
  const [ann, bob] = await pair('notes')
  await persisted(ann.rows.insert({ id: '1', title: 'milk', done: false }))
  await settle(ann, bob)
  goOffline(ann, bob)
  await persisted(change(ann, '1', { title: 'oat' }), change(bob, '1', { done: true }))
  expect(await settle(ann, bob)).toEqual({ 1: { id: '1', title: 'oat', done: true } })
  expect(await losersOf(ann)).toEqual([])
})

test('[IT6] resolves a deletion and an edit of one row', async () => {
  const [ann, bob] = await pair()
  await persisted(ann.rows.insert({ id: '1', title: 'milk' }), ann.rows.insert({ id: '2', title: 'tea' }))
  await settle(ann, bob)
  goOffline(ann, bob)
  await persisted(ann.rows.delete('1'), change(ann, '2', { title: 'x' }))
  await later()
  await persisted(change(bob, '1', { title: 'oat' }), bob.rows.delete('2'))
  expect(await settle(ann, bob)).toEqual({ 1: { id: '1', title: 'oat' } })
  expect(await losersOf(ann)).toContainEqual({ id: '2', title: 'x' })
})

test('[IT6] restores a deleted row by an insert', async () => {
  const [ann, bob] = await pair()
  await persisted(ann.rows.insert({ id: '1', title: 'milk' }))
  await settle(ann, bob)
  goOffline(bob)
  await persisted(bob.rows.delete('1'), bob.rows.insert({ id: '1', title: 'again' }))
  expect(await settle(ann, bob)).toEqual({ 1: { id: '1', title: 'again' } })
  expect(await losersOf(ann)).toEqual([])
})

test('[IT6] resolves two inserts of the same id', async () => {
  const [ann, bob] = await pair()
  goOffline(ann, bob)
  await persisted(ann.rows.insert({ id: '1', title: 'ann' }), bob.rows.insert({ id: '1', title: 'bob' }))
  const { 1: row } = await settle(ann, bob)
  const other = row?.title === 'ann' ? 'bob' : 'ann'
  expect(await losersOf(ann)).toEqual([{ id: '1', title: other }])
})

test('[IT6] sees no conflict in several edits of one row before the first reply', async () => {
  const [ann, bob] = await pair()
  goOffline(ann)
  await persisted(ann.rows.insert({ id: '1', n: 0 }))
  for (let n = 1; n <= 5; n++) await persisted(change(ann, '1', { n }))
  expect(await settle(ann, bob)).toEqual({ 1: { id: '1', n: 5 } })
  expect(await losersOf(ann)).toEqual([])
})

test('[IT6] keeps, shows and sends an edit that is made while a batch is in flight', async () => {
  const [ann, bob] = await pair()
  goOffline(ann)
  await persisted(ann.rows.insert({ id: '1', n: 1 }))
  const { arrived, release } = ann.network.holdReply()
  const syncing = sync(ann).catch(() => sync(ann))
  await arrived
  await persisted(change(ann, '1', { n: 2 }))
  expect(stateOf(ann)).toEqual({ 1: { id: '1', n: 2 } })
  expect(ann.db.status.getSnapshot().pending).toBe(2)
  expect(ann.network.pushes).toHaveLength(1)
  release()
  await syncing
  expect(stateOf(ann)).toEqual({ 1: { id: '1', n: 2 } })
  expect(await settle(ann, bob)).toEqual({ 1: { id: '1', n: 2 } })
  expect(await losersOf(ann)).toEqual([])
})

test('[IT6] retries a batch whose reply was lost, with effect once', async () => {
  const [ann, bob] = await pair()
  goOffline(ann)
  await persisted(ann.rows.insert({ id: '1', n: 1 }))
  await expect.poll(() => ann.db.status.getSnapshot().obstacle?.code).toBe('offline')
  ann.network.loseReply()
  await expect(sync(ann)).rejects.toThrow('the connection was lost')
  goOffline(ann)
  expect(ann.db.status.getSnapshot().pending).toBe(1)
  await sync(bob)
  await persisted(change(bob, '1', { n: 2 }))
  await sync(bob)
  expect(await settle(ann, bob)).toEqual({ 1: { id: '1', n: 2 } })
  const { versions } = await ann.read<{ versions: unknown[] }>('/api/history?key=tasks/1')
  expect(versions).toHaveLength(2)
})

test('[IT6] rolls a refused row back, names it, and holds up no other row', async () => {
  const [ann, bob] = await pair()
  await persisted(ann.rows.insert({ id: '1', title: 'short' }))
  await settle(ann, bob)
  goOffline(ann)
  await persisted(
    change(ann, '1', { title: 'x'.repeat(300_000) }),
    ann.rows.insert({ id: 'control\u0001', title: 'x' }),
    ann.rows.insert({ id: 'cut', title: 'party \ud83d' }),
    ann.rows.insert({ id: 'deep', tags: JSON.parse(`${'['.repeat(200)}${']'.repeat(200)}`) }),
    ann.rows.insert({ id: '2', title: 'good' }),
  )
  expect(await settle(ann, bob)).toEqual({ 1: { id: '1', title: 'short' }, 2: { id: '2', title: 'good' } })
  const refused = ann.db.troubles.getSnapshot().map(({ key, code }) => ({ key, code }))
  expect(refused).toEqual([
    { key: 'tasks/1', code: 'value-too-large' },
    { key: 'tasks/control\u0001', code: 'invalid-key' },
    { key: 'tasks/cut', code: 'lone-surrogate' },
    { key: 'tasks/deep', code: 'too-deep' },
  ])
  expect(ann.rows.get('1')?.$status).toBe('rejected')
  await persisted(change(ann, '1', { title: 'shorter' }))
  expect(await settle(ann, bob)).toMatchObject({ 1: { title: 'shorter' } })
})

test('[IT6] shows the current row and an open conflict under manual, until somebody decides', async () => {
  const [ann, bob] = await pair('choices')
  await persisted(ann.rows.insert({ id: '1', title: 'milk' }))
  await settle(ann, bob)
  goOffline(ann, bob)
  await persisted(change(ann, '1', { title: 'oat' }), change(bob, '1', { title: 'soy' }))
  expect(await settle(ann, bob)).toEqual({ 1: { id: '1', title: 'oat' } })
  expect(bob.rows.get('1')?.$status).toBe('conflict')
  const [trouble] = bob.db.troubles.getSnapshot()
  await trouble?.resolve('mine')
  expect(await settle(bob, ann)).toEqual({ 1: { id: '1', title: 'soy' } })
  expect(bob.rows.get('1')?.$status).toBe('synced')
})

test('[IT6] reads everything on a later device, past one page', async () => {
  const space = newSpace()
  const ann = await device(space)
  await persisted(...Array.from({ length: 620 }, (_, n) => ann.rows.insert({ id: `${n}`, n })))
  await sync(ann)
  await persisted(ann.rows.delete('7'))
  const late = await device(space)
  await settle(ann, late)
  expect(late.rows.size).toBe(619)
})

test('[IT6] sends what hundreds of edits left behind after a long time offline', async () => {
  const [ann, bob] = await pair('notes')
  goOffline(ann, bob)
  for (let n = 0; n < 300; n++) {
    await persisted(ann.rows.insert({ id: `a${n}`, n }), bob.rows.insert({ id: `b${n % 30}-${n}`, n }))
    if (n % 3 === 0) await persisted(change(ann, `a${n}`, { done: true }))
    if (n % 4 === 0) await persisted(ann.rows.delete(`a${n}`))
  }
  const state = await settle(ann, bob)
  expect(Object.keys(state)).toHaveLength(225 + 300)
  expect(state.a3).toEqual({ id: 'a3', n: 3, done: true })
  expect(await losersOf(ann)).toEqual([])
})

test('[IT6] updates live queries with the writes of other devices', async () => {
  const space = newSpace()
  const ann = await device(space)
  const bob = await device(space, { sockets: true })
  const large = createLiveQueryCollection({
    startSync: true,
    query: (q) => q.from({ row: bob.rows }).where(({ row }) => gt(row.n, 10)),
  })
  await persisted(ann.rows.insert({ id: '1', n: 5 }), ann.rows.insert({ id: '2', n: 50 }))
  await expect.poll(() => large.toArray.map(({ id }) => id)).toEqual(['2'])
  bob.network.loseSockets()
  await persisted(change(ann, '1', { n: 11 }), ann.rows.delete('2'))
  await expect.poll(() => large.toArray.map(({ id }) => id), { timeout: 5000 }).toEqual(['1'])
  await settle(ann, bob)
})

test.each([1, 2, 3, 4, 5, 6])(
  '[IT6] brings three devices together that edit at random and lose replies, seed %i',
  async (seed) => {
    const space = newSpace()
    const devices = [await device(space), await device(space), await device(space)] as const
    const random = new Random(seed)
    goOffline(...devices)
    for (let step = 0; step < 60; step++) await act(random.pick(devices), random, step)
    await settle(...devices)
  },
)

async function act(at: Device, random: Random, step: number): Promise<void> {
  const id = `${random.between(1, 6)}`
  const dice = random.next()
  if (dice < 0.2) at.network.loseReply()
  if (dice < 0.4) {
    await sync(at).catch(() => {})
    if (dice < 0.3) goOffline(at)
  } else if (!at.rows.has(id)) await persisted(at.rows.insert({ id, n: step }))
  else if (dice < 0.55) await persisted(at.rows.delete(id))
  else await persisted(change(at, id, { n: step }))
}
