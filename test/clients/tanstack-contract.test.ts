import { createCollection, createLiveQueryCollection, createTransaction, eq } from '@tanstack/db'
import { expect, expectTypeOf, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import type { RowStatus } from '../../client/src/index.ts'
import { chronicleCollection } from '../../client/src/tanstack-db.ts'
import { newSpace } from './network.ts'
import {
  change,
  type Device,
  device,
  goOffline,
  losersOf,
  type Note,
  pair,
  persisted,
  settle,
  stateOf,
  sync,
} from './tanstack-device.ts'

/** Records the changes that a collection tells. */
function watch({ rows }: Device): string[] {
  const told: string[] = []
  const subscription = rows.subscribeChanges((changes) => {
    for (const { type, value } of changes) told.push(`${type} ${value.title} ${value.$status ?? '-'}`)
  })
  onTestFinished(() => subscription.unsubscribe())
  return told
}

/** Begins a transaction that is committed by hand. */
function transactionOf({ rows }: Device, mutate: () => void) {
  const transaction = createTransaction<Note>({
    autoCommit: false,
    mutationFn: ({ transaction: { mutations } }) => rows.utils.save({ mutations }),
  })
  transaction.mutate(mutate)
  return transaction
}

test('[IT6] infers the types of rows, keys and inserts', async () => {
  const { db, rows } = await device(newSpace())
  expectTypeOf(rows.get).parameter(0).toEqualTypeOf<string>()
  expectTypeOf(rows.toArray[0]?.title).toEqualTypeOf<string | undefined>()
  expectTypeOf(rows.toArray[0]?.$status).toEqualTypeOf<RowStatus | undefined>()
  expectTypeOf(rows.insert).parameter(0).extract<Note>().toExtend<{ id: string }>()
  const schema = z.object({ id: z.string(), n: z.number().default(0) })
  const counted = createCollection(
    chronicleCollection({ db, name: 'tasks', id: 'counted', schema, getKey: ({ id }) => id }),
  )
  expectTypeOf(counted.toArray[0]?.n).toEqualTypeOf<number | undefined>()
  expectTypeOf<{ id: string }>().toExtend<Parameters<typeof counted.insert>[0]>()
  const numbered = createCollection(
    chronicleCollection({
      db,
      name: 'tasks',
      id: 'numbered',
      getKey: (row: { readonly n: number }) => row.n,
    }),
  )
  expectTypeOf(numbered.get).parameter(0).toEqualTypeOf<number>()
})

test('[IT6] changes no row back while its edit is saved, sent and received', async () => {
  const ann = await device(newSpace(), { name: 'notes' })
  const told = watch(ann)
  await persisted(ann.rows.insert({ id: '1', title: 'milk' }))
  await settle(ann)
  await persisted(change(ann, '1', { title: 'oat' }))
  await settle(ann)
  await persisted(ann.rows.delete('1'))
  await settle(ann)
  expect(told).toEqual([
    'insert milk -',
    'update milk pending',
    'update milk synced',
    'update oat synced',
    'update oat pending',
    'update oat synced',
    'delete oat synced',
  ])
})

test('[IT6] persists a transaction when its edit is saved on the device, and the row is pending', async () => {
  const ann = await device(newSpace())
  goOffline(ann)
  const transaction = ann.rows.insert({ id: '1', title: 'milk' })
  expect(ann.rows.get('1')).toMatchObject({ title: 'milk', $hasPendingWrites: true })
  await persisted(transaction)
  expect(ann.rows.get('1')).toMatchObject({ $status: 'pending', $version: null, $hasPendingWrites: false })
  const unsynced = [{ key: 'tasks/1', value: { id: '1', title: 'milk' } }]
  expect(await ann.db.unsynced()).toMatchObject(unsynced)
})

test('[IT6] lets a query ask for the status of rows', async () => {
  const ann = await device(newSpace())
  const waiting = createLiveQueryCollection({
    startSync: true,
    query: (q) => q.from({ row: ann.rows }).where(({ row }) => eq(row.$status, 'pending')),
  })
  await persisted(ann.rows.insert({ id: '1' }))
  await settle(ann)
  goOffline(ann)
  await persisted(ann.rows.insert({ id: '2' }))
  expect(waiting.toArray.map(({ id }) => id)).toEqual(['2'])
  await settle(ann)
  expect(waiting.toArray).toEqual([])
})

test('[IT6] rolls an edit back that the device cannot save', async () => {
  const ann = await device(newSpace())
  await persisted(ann.rows.insert({ id: '1', title: 'milk' }))
  await ann.db.close({ discard: true })
  const edits = [change(ann, '1', { title: 'oat' }), ann.rows.insert({ id: '2' }), ann.rows.delete('1')]
  const codes = edits.map(({ isPersisted }) => isPersisted.promise.catch((error) => error.code))
  expect(await Promise.all(codes)).toEqual(['closed', 'closed', 'closed'])
  expect(stateOf(ann)).toEqual({ 1: { id: '1', title: 'milk' } })
})

test('[IT6] shows the pending edits of the last time after a reload, and sends them', async () => {
  const space = newSpace()
  const before = await device(space)
  goOffline(before)
  await persisted(before.rows.insert({ id: '1', title: 'milk' }))
  await before.db.close({ discard: true })
  const after = await device(space, { store: before.store })
  expect(stateOf(after)).toEqual({ 1: { id: '1', title: 'milk' } })
  const bob = await device(space)
  expect(await settle(after, bob)).toEqual({ 1: { id: '1', title: 'milk' } })
})

test('[IT6] begins again after a cleanup, with what happened meanwhile', async () => {
  const [ann, bob] = await pair()
  await persisted(ann.rows.insert({ id: '1' }), ann.rows.insert({ id: '2' }))
  await settle(ann, bob)
  await ann.rows.cleanup()
  await persisted(bob.rows.delete('1'), change(bob, '2', { n: 2 }), bob.rows.insert({ id: '3' }))
  await sync(bob)
  await sync(ann)
  expect(ann.rows.size).toBe(0)
  await ann.rows.preload()
  expect(stateOf(ann)).toEqual({ 2: { id: '2', n: 2 }, 3: { id: '3' } })
  await persisted(change(ann, '3', { n: 3 }))
  expect(await settle(ann, bob)).toMatchObject({ 3: { n: 3 } })
})

test('[IT6] takes rows by number, and leaves rows out that are stored under another id', async () => {
  const { db } = await device(newSpace())
  const rows = createCollection(
    chronicleCollection({ db, name: 'tasks', getKey: (row: { readonly n: number }) => row.n }),
  )
  const stored = db.collection<{ n: number }>('tasks')
  await stored.put('other', { n: 7 })
  await rows.preload()
  await persisted(rows.insert({ n: 1 }), rows.insert({ n: 2 }))
  await persisted(rows.delete(1))
  expect((await stored.all()).map(({ $id }) => $id)).toEqual(['2', 'other'])
  await stored.delete('2')
  await stored.settled()
  expect(rows.size).toBe(0)
})

test('[IT6] saves values only, checked by the schema', async () => {
  const { db } = await device(newSpace())
  const schema = z.strictObject({
    id: z.string(),
    title: z.string().max(10),
    tags: z.array(z.string()).default([]),
  })
  const rows = createCollection(chronicleCollection({ db, name: 'tasks', schema, getKey: ({ id }) => id }))
  await rows.preload()
  await persisted(rows.insert({ id: '1', title: 'milk' }))
  await persisted(
    rows.update('1', ({ tags }) => {
      tags?.push('cold')
    }),
  )
  const first = rows.toArray[0]
  if (first) await persisted(rows.insert({ ...first, id: '2' }))
  expect(() => rows.insert({ id: '3', title: 'much too long' })).toThrow('Too big')
  const stored = await db.collection('tasks').all()
  expect(stored.map((row) => ({ ...row }))).toEqual([
    { id: '1', title: 'milk', tags: ['cold'] },
    { id: '2', title: 'milk', tags: ['cold'] },
  ])
})

test('[IT6] bases an edit on what the user saw, so that the service sees a concurrent one', async () => {
  const [ann, bob] = await pair('notes')
  await persisted(ann.rows.insert({ id: '1', title: 'milk', done: false }))
  await settle(ann, bob)
  const form = transactionOf(ann, () => change(ann, '1', { title: 'oat' }))
  await persisted(change(bob, '1', { done: true }))
  await sync(bob)
  await sync(ann)
  await form.commit()
  expect(await settle(ann, bob)).toEqual({ 1: { id: '1', title: 'oat', done: true } })
})

test('[IT6] sees no conflict of an edit with one before it that was answered meanwhile', async () => {
  const [ann, bob] = await pair()
  await persisted(ann.rows.insert({ id: '1', title: 'milk' }))
  await settle(ann, bob)
  goOffline(ann)
  await persisted(change(ann, '1', { title: 'oat' }))
  const form = transactionOf(ann, () => change(ann, '1', { done: true }))
  await settle(ann)
  const { version: answered } = await ann.read<{ version: string }>('/api/entries?key=tasks/1')
  await form.commit()
  expect(await settle(ann, bob)).toEqual({ 1: { id: '1', title: 'oat', done: true } })
  expect(ann.network.pushes.at(-1)).toMatchObject({ base: answered })
  expect(await losersOf(ann)).toEqual([])
  expect(ann.db.troubles.getSnapshot()).toEqual([])
})

test('[IT6] saves the edits of one collection of a transaction over several', async () => {
  const ann = await device(newSpace())
  const other = await device(newSpace())
  const transaction = transactionOf(ann, () => {
    ann.rows.insert({ id: '1' })
    other.rows.insert({ id: '2' })
  })
  await transaction.commit()
  expect(stateOf(ann)).toEqual({ 1: { id: '1' } })
  expect(await other.db.collection('tasks').all()).toEqual([])
})

test('[IT6] shows nothing any more after a logout', async () => {
  const ann = await device(newSpace())
  await persisted(ann.rows.insert({ id: '1' }))
  await settle(ann)
  await ann.db.logout()
  await expect.poll(() => ann.rows.size).toBe(0)
})
