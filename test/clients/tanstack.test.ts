import { createCollection, createLiveQueryCollection, gt } from '@tanstack/db'
import { expect, inject, test } from 'vitest'
import { Random } from '../simulation/values/random.ts'
import { ChronicleCollection, type Row } from './chronicle-collection.ts'
import { follow } from './follow.ts'
import { newSpace, openSession } from './session.ts'

const service = inject('service')

/** Makes a device with a TanStack DB collection. `notes` is merged, and in `tasks` the later write wins. */
async function device(space: string, name: 'notes' | 'tasks' = 'tasks') {
  const session = await openSession(service, space)
  const chronicle = new ChronicleCollection(session, name)
  return { chronicle, session, rows: createCollection(chronicle.options) }
}

type Device = Awaited<ReturnType<typeof device>>

/** Returns the rows by their ids, without the fields (`$synced`) that TanStack DB adds. */
function stateOf({ rows }: Device): Readonly<Record<string, Row>> {
  const plain = rows.toArray.map((row) => [row.id, withoutExtras(row)] as const)
  return Object.fromEntries(plain.sort(([a], [b]) => (a < b ? -1 : 1)))
}

function withoutExtras(row: Row): Row {
  return Object.fromEntries(Object.entries(row).filter(([field]) => !field.startsWith('$'))) as Row
}

/** Syncs every device twice. The second sync receives the changes that later devices sent. */
async function settle(...devices: readonly Device[]): Promise<Readonly<Record<string, Row>>> {
  for (const each of [...devices, ...devices]) await each.chronicle.sync()
  const [first, ...others] = devices.map(stateOf)
  for (const other of others) expect(other).toEqual(first)
  expect(devices.map(({ chronicle }) => chronicle.waiting)).toEqual(devices.map(() => 0))
  return first ?? {}
}

async function pair(name?: 'notes' | 'tasks'): Promise<readonly [Device, Device]> {
  const space = newSpace()
  return [await device(space, name), await device(space, name)]
}

/** Lists the values that lost a conflict. */
async function losersOf({ session }: Device): Promise<readonly unknown[]> {
  const { conflicts } = await session.request<{ conflicts: { loser: { value?: unknown } }[] }>(
    '/api/conflicts',
  )
  return conflicts.map(({ loser }) => loser.value)
}

function change({ rows }: Device, id: string, fields: object) {
  return rows.update(id, (draft) => {
    Object.assign(draft, fields)
  })
}

function persisted(
  ...transactions: readonly { isPersisted: { promise: Promise<unknown> } }[]
): Promise<unknown> {
  return Promise.all(transactions.map(({ isPersisted }) => isPersisted.promise))
}

test('[IT6] keeps and shows an edit at once without a network, and sends it later', async () => {
  const [ann, bob] = await pair()
  await persisted(ann.rows.insert({ id: '1', title: 'milk' }))
  expect(stateOf(ann)).toEqual({ 1: { id: '1', title: 'milk' } })
  expect(ann.chronicle.waiting).toBe(1)
  expect(await settle(ann, bob)).toEqual({ 1: { id: '1', title: 'milk' } })
  const stored = await bob.session.request<{ value: unknown }>('/api/entries?key=tasks/1')
  expect(stored.value).toEqual({ id: '1', title: 'milk' })
})

test('[IT6] syncs different rows that were inserted, changed and deleted offline', async () => {
  const [ann, bob] = await pair()
  await persisted(...['1', '2', '3'].map((id) => ann.rows.insert({ id, title: `a${id}` })))
  await persisted(...['4', '5'].map((id) => bob.rows.insert({ id, title: `b${id}` })))
  await settle(ann, bob)
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
  await persisted(change(ann, '1', { title: 'oat' }))
  await new Promise((resolve) => setTimeout(resolve, 5))
  await persisted(change(bob, '1', { title: 'soy' }))
  expect(await settle(bob, ann)).toEqual({ 1: { id: '1', title: 'soy' } })
  expect(await losersOf(ann)).toEqual([{ id: '1', title: 'oat' }])
})

test('[IT6] keeps edits of two fields under merge', async () => {
  const [ann, bob] = await pair('notes')
  await persisted(ann.rows.insert({ id: '1', title: 'milk', done: false }))
  await settle(ann, bob)
  await persisted(change(ann, '1', { title: 'oat' }), change(bob, '1', { done: true }))
  expect(await settle(ann, bob)).toEqual({ 1: { id: '1', title: 'oat', done: true } })
  expect(await losersOf(ann)).toEqual([])
})

test('[IT6] resolves a deletion and an edit of one row', async () => {
  const [ann, bob] = await pair()
  await persisted(ann.rows.insert({ id: '1', title: 'milk' }), ann.rows.insert({ id: '2', title: 'tea' }))
  await settle(ann, bob)
  await persisted(ann.rows.delete('1'), change(ann, '2', { title: 'x' }))
  await new Promise((resolve) => setTimeout(resolve, 5))
  await persisted(change(bob, '1', { title: 'oat' }), bob.rows.delete('2'))
  expect(await settle(ann, bob)).toEqual({ 1: { id: '1', title: 'oat' } })
  expect(await losersOf(ann)).toContainEqual({ id: '2', title: 'x' })
})

test('[IT6] restores a deleted row by an insert', async () => {
  const [ann, bob] = await pair()
  await persisted(ann.rows.insert({ id: '1', title: 'milk' }))
  await settle(ann, bob)
  await persisted(bob.rows.delete('1'), bob.rows.insert({ id: '1', title: 'again' }))
  expect(await settle(ann, bob)).toEqual({ 1: { id: '1', title: 'again' } })
  expect(await losersOf(ann)).toEqual([])
})

test('[IT6] resolves two inserts of the same id', async () => {
  const [ann, bob] = await pair()
  await persisted(ann.rows.insert({ id: '1', from: 'ann' }), bob.rows.insert({ id: '1', from: 'bob' }))
  const { 1: row } = await settle(ann, bob)
  const other = row?.from === 'ann' ? 'bob' : 'ann'
  expect(await losersOf(ann)).toEqual([{ id: '1', from: other }])
})

test('[IT6] sees no conflict in several edits of one row before the first reply', async () => {
  const [ann, bob] = await pair()
  await persisted(ann.rows.insert({ id: '1', n: 0 }))
  for (let n = 1; n <= 5; n++) await persisted(change(ann, '1', { n }))
  expect(await settle(ann, bob)).toEqual({ 1: { id: '1', n: 5 } })
  expect(await losersOf(ann)).toEqual([])
})

test('[IT6] keeps, shows and sends an edit that is made while a batch is in flight', async () => {
  const [ann, bob] = await pair()
  await persisted(ann.rows.insert({ id: '1', n: 1 }))
  const syncing = ann.chronicle.sync()
  await persisted(change(ann, '1', { n: 2 }))
  expect(stateOf(ann)).toEqual({ 1: { id: '1', n: 2 } })
  await syncing
  expect(stateOf(ann)).toEqual({ 1: { id: '1', n: 2 } })
  expect(await settle(ann, bob)).toEqual({ 1: { id: '1', n: 2 } })
  expect(await losersOf(ann)).toEqual([])
})

test('[IT6] retries a batch whose reply was lost, with effect once', async () => {
  const [ann, bob] = await pair()
  await persisted(ann.rows.insert({ id: '1', n: 1 }))
  ann.session.loseReply()
  await expect(ann.chronicle.sync()).rejects.toThrow('the connection was lost')
  expect(ann.chronicle.waiting).toBe(1)
  await bob.chronicle.sync()
  await persisted(change(bob, '1', { n: 2 }))
  await bob.chronicle.sync()
  expect(await settle(ann, bob)).toEqual({ 1: { id: '1', n: 2 } })
  const { versions } = await ann.session.request<{ versions: unknown[] }>('/api/history?key=tasks/1')
  expect(versions).toHaveLength(2)
})

test('[IT6] rolls a refused row back, names it, and holds up no other row', async () => {
  const [ann, bob] = await pair()
  await persisted(ann.rows.insert({ id: '1', text: 'short' }))
  await settle(ann, bob)
  await persisted(
    change(ann, '1', { text: 'x'.repeat(300_000) }),
    ann.rows.insert({ id: 'control\u0001', text: 'x' }),
    ann.rows.insert({ id: 'cut', text: 'party \ud83d' }),
    ann.rows.insert({ id: 'deep', text: JSON.parse(`${'['.repeat(200)}${']'.repeat(200)}`) }),
    ann.rows.insert({ id: '2', text: 'good' }),
  )
  expect(await settle(ann, bob)).toEqual({ 1: { id: '1', text: 'short' }, 2: { id: '2', text: 'good' } })
  expect(ann.chronicle.refused).toEqual([
    { key: 'tasks/1', code: 'value-too-large' },
    { key: 'tasks/control\u0001', code: 'invalid-key' },
    { key: 'tasks/cut', code: 'lone-surrogate' },
    { key: 'tasks/deep', code: 'too-deep' },
  ])
  await persisted(change(ann, '1', { text: 'shorter' }))
  expect(await settle(ann, bob)).toMatchObject({ 1: { text: 'shorter' } })
})

test('[IT6] reads everything on a later device, past one page', async () => {
  const space = newSpace()
  const ann = await device(space)
  await persisted(...Array.from({ length: 620 }, (_, n) => ann.rows.insert({ id: `${n}`, n })))
  await ann.chronicle.sync()
  await persisted(ann.rows.delete('7'))
  await ann.chronicle.sync()
  const late = await device(space)
  await settle(late, ann)
  expect(late.rows.size).toBe(619)
})

test('[IT6] updates live queries with the writes of other devices', async () => {
  const [ann, bob] = await pair()
  const large = createLiveQueryCollection({
    startSync: true,
    query: (q) => q.from({ row: bob.rows }).where(({ row }) => gt(row.n as number, 10)),
  })
  const stop = follow(bob.session, 'tasks', () => bob.chronicle.sync())
  await persisted(ann.rows.insert({ id: '1', n: 5 }), ann.rows.insert({ id: '2', n: 50 }))
  await ann.chronicle.sync()
  await expect.poll(() => large.toArray.map(({ id }) => id)).toEqual(['2'])
  bob.session.loseSockets()
  await persisted(change(ann, '1', { n: 11 }), ann.rows.delete('2'))
  await ann.chronicle.sync()
  await expect.poll(() => large.toArray.map(({ id }) => id)).toEqual(['1'])
  stop()
  await settle(ann, bob)
})

test.each([1, 2, 3, 4, 5, 6])(
  '[IT6] brings three devices together that edit at random and lose replies, seed %i',
  async (seed) => {
    const space = newSpace()
    const devices = [await device(space), await device(space), await device(space)]
    const random = new Random(seed)
    for (let step = 0; step < 60; step++) {
      const at = random.pick(devices)
      const id = `${random.between(1, 6)}`
      const dice = random.next()
      if (dice < 0.2) at.session.loseReply()
      if (dice < 0.4) await at.chronicle.sync().catch(() => {})
      else if (!at.rows.has(id)) await persisted(at.rows.insert({ id, step }))
      else if (dice < 0.55) await persisted(at.rows.delete(id))
      else await persisted(change(at, id, { step }))
    }
    for (const each of devices) await each.chronicle.sync().catch(() => each.chronicle.sync())
    await settle(...devices)
  },
)
