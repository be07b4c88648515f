import { type RxConflictHandler, randomToken } from 'rxdb'
import { expect, inject, test } from 'vitest'
import { replicateChronicle } from '../../client/src/rxdb.ts'
import { newSpace, readerOf } from './network.ts'
import {
  agesOf,
  close,
  countOf,
  device,
  type Human,
  human,
  inSync,
  openAt,
  remove,
  setAge,
} from './rxdb-device.ts'

test('[IT5] receives the writes of others without a request', async () => {
  const space = newSpace()
  const [ann, bob] = [await device(space), await device(space)]
  await ann.replication.awaitInitialReplication()
  await bob.replication.awaitInitialReplication()
  await ann.collection.insert(human('a', 1))
  await expect.poll(() => agesOf(bob.collection)).toEqual({ a: 1 })
  await setAge(bob, 'a', 2)
  await expect.poll(() => agesOf(ann.collection)).toEqual({ a: 2 })
  // A device that confirms nothing is not told of changes for long.
  await expect.poll(() => ann.network.messages.map(({ type }) => type), { timeout: 10_000 }).toContain('seen')
  expect([...ann.errors, ...bob.errors]).toEqual([])
})

test('[IT5] fetches after a reconnect what was written in between', async () => {
  const space = newSpace()
  const [ann, bob] = [await device(space), await device(space)]
  await ann.collection.insert(human('a', 1))
  await expect.poll(() => agesOf(bob.collection)).toEqual({ a: 1 })
  bob.network.loseSockets()
  await ann.collection.insert(human('b', 2))
  await ann.replication.awaitInSync()
  await expect.poll(() => agesOf(bob.collection), { timeout: 5_000 }).toEqual({ a: 1, b: 2 })
})

test('[IT5] resolves a conflict by the handler of RxDB, which gets the state of the master', async () => {
  const space = newSpace()
  const met: unknown[] = []
  const conflictHandler: RxConflictHandler<Human> = {
    isEqual: (a, b) => a.age === b.age && a._deleted === b._deleted,
    async resolve({ realMasterState, newDocumentState, assumedMasterState }) {
      met.push([assumedMasterState?.age, realMasterState.age, newDocumentState.age])
      return { ...newDocumentState, age: Number(realMasterState.age) + Number(newDocumentState.age) }
    },
  }
  const [ann, bob] = [await device(space, { conflictHandler }), await device(space, { conflictHandler })]
  await ann.collection.insert(human('a', 1))
  await inSync(ann.replication, bob.replication)
  await ann.replication.pause()
  await bob.replication.pause()
  await setAge(ann, 'a', 10)
  await setAge(bob, 'a', 100)
  await ann.replication.start()
  await inSync(ann.replication)
  await bob.replication.start()
  await inSync(bob.replication, ann.replication)
  expect(await agesOf(ann.collection)).toEqual({ a: 110 })
  expect(await agesOf(bob.collection)).toEqual({ a: 110 })
  expect(met).toContainEqual([1, 10, 100])
})

test('[IT5] replicates in one of two tabs, and in the other one when that closes', async () => {
  const space = newSpace()
  const [database, waitForLeadership] = [randomToken(10), true]
  const first = await device(space, { database, waitForLeadership })
  await first.replication.awaitInitialReplication()
  const second = await device(space, { database, waitForLeadership })
  await second.collection.insert(human('a', 1))
  await expect.poll(() => countOf(first.service)).toBe(1)
  expect(second.replication.wasStarted).toBe(false)
  await close(first.collection.database)
  await second.collection.insert(human('b', 2))
  await expect.poll(() => countOf(second.service), { timeout: 20_000 }).toBe(2)
})

test('[IT5] continues after a restart: nothing comes twice, and pending edits are sent', async () => {
  const space = newSpace()
  const database = randomToken(10)
  const other = await device(space)
  await other.collection.bulkInsert(Array.from({ length: 20 }, (_, n) => human(`${n}`, n)))
  await other.replication.awaitInSync()
  const before = await device(space, { database, live: false })
  await before.replication.awaitInitialReplication()
  await before.collection.insert(human('offline', 1))
  await close(before.collection.database)

  await other.collection.insert(human('meanwhile', 1))
  await other.replication.awaitInSync()
  const after = await device(space, { database, live: false })
  const received: unknown[] = []
  after.replication.received$.subscribe(({ passportId }) => received.push(passportId))
  await after.replication.awaitInitialReplication()
  expect(received).toContain('meanwhile')
  expect(received.length).toBeLessThan(3)
  expect(await countOf(after.service)).toBe(22)
  expect(Object.keys(await agesOf(after.collection))).toHaveLength(22)
})

test('[IT5] replicates deletions, and re-creations after them', async () => {
  const space = newSpace()
  const [ann, bob] = [await device(space), await device(space)]
  await ann.collection.bulkInsert([human('a', 1), human('b', 2)])
  await inSync(ann.replication, bob.replication)
  await remove(bob, 'a')
  await inSync(bob.replication, ann.replication)
  expect(await agesOf(ann.collection)).toEqual({ b: 2 })
  await ann.collection.insert(human('a', 3))
  await inSync(ann.replication, bob.replication)
  expect(await agesOf(bob.collection)).toEqual({ a: 3, b: 2 })
  const late = await device(space, { live: false })
  await late.replication.awaitInitialReplication()
  expect(await agesOf(late.collection)).toEqual({ a: 3, b: 2 })
})

test('[IT5] ends with the state of the master on both sides after a deletion and an edit of one document', async () => {
  const space = newSpace()
  const [ann, bob] = [await device(space), await device(space)]
  await ann.collection.insert(human('a', 1))
  await inSync(ann.replication, bob.replication)
  await bob.replication.pause()
  await remove(ann, 'a')
  await inSync(ann.replication)
  await setAge(bob, 'a', 2)
  await bob.replication.start()
  await inSync(bob.replication, ann.replication)
  expect(await agesOf(ann.collection)).toEqual({})
  expect(await agesOf(bob.collection)).toEqual({})
})

test('[IT5] replicates everything in pages of any size', async () => {
  const space = newSpace()
  const ann = await device(space, { batchSize: 7 })
  await ann.collection.bulkInsert(Array.from({ length: 50 }, (_, n) => human(`${n}`, n)))
  await ann.replication.awaitInSync()
  const bob = await device(space, { live: false, batchSize: 3 })
  await bob.replication.awaitInitialReplication()
  expect(await agesOf(bob.collection)).toEqual(await agesOf(ann.collection))
})

test('[IT5] sees no conflict when RxDB retries a push whose reply was lost', async () => {
  const space = newSpace()
  const ann = await device(space, { live: false })
  await ann.replication.awaitInitialReplication()
  await ann.collection.insert(human('a', 1))
  const { network, service } = await openAt(space)
  network.loseReply()
  const again = { service, collection: ann.collection, name: 'human', live: false, waitForLeadership: false }
  await replicateChronicle({ ...again, retryTime: 100 }).awaitInitialReplication()
  const read = await readerOf(inject('service'), space)
  const { versions } = await read<{ versions: unknown[] }>('/api/history?key=human/a')
  expect(versions).toHaveLength(1)
  expect((await read<{ conflicts: unknown[] }>('/api/conflicts')).conflicts).toEqual([])
})
