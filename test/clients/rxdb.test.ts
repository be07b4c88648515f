import {
  createRxDatabase,
  type RxCollection,
  type RxConflictHandler,
  type RxDatabase,
  randomToken,
} from 'rxdb'
import type { RxReplicationState } from 'rxdb/plugins/replication'
import { type HumanDocumentType, schemaObjects, schemas } from 'rxdb/plugins/test-utils'
import { afterEach, expect, inject, test } from 'vitest'
import { type Checkpoint, type Options, replicateChronicle } from './rxdb-replication.ts'
import { memory } from './rxdb-storage.ts'
import { newSpace, openSession, type Session } from './session.ts'

const service = inject('service')
const open = new Set<RxDatabase>()

afterEach(async () => {
  for (const database of open) await database.close()
  open.clear()
})

type Human = HumanDocumentType
type Replication = RxReplicationState<Human, Checkpoint>

interface Settings {
  /** Database name. Databases of one name act as tabs of one browser. */
  readonly name?: string
  readonly conflictHandler?: RxConflictHandler<Human>
}

async function humans({ name = randomToken(10), conflictHandler }: Settings = {}) {
  const database = await createRxDatabase({
    name,
    storage: memory,
    multiInstance: true,
    ignoreDuplicate: true,
  })
  open.add(database)
  const schema = schemas.human
  const made = await database.addCollections({
    human: { schema, ...(conflictHandler && { conflictHandler }) },
  })
  return made.human as unknown as RxCollection<Human>
}

/** Makes a collection that follows a space, and collects its errors. */
async function device(space: string, { live = true, ...settings }: Settings & Partial<Options<Human>> = {}) {
  const collection = await humans(settings)
  const session = await openSession(service, space)
  const replication = replicateChronicle({ session, collection, live, ...settings })
  const errors: unknown[] = []
  replication.error$.subscribe((error) => errors.push(error))
  return { collection, session, replication, errors }
}

async function close({ database }: RxCollection<Human>): Promise<void> {
  open.delete(database)
  await database.close()
}

function agesOf(collection: RxCollection<Human>): Promise<Readonly<Record<string, number | undefined>>> {
  return collection
    .find()
    .exec()
    .then((found) => Object.fromEntries(found.map(({ passportId, age }) => [passportId, age])))
}

function human(passportId: string, age: number) {
  return schemaObjects.humanData(passportId, age)
}

async function inSync(...replications: readonly Replication[]): Promise<void> {
  for (const replication of [...replications, ...replications]) {
    replication.reSync()
    await replication.awaitInSync()
  }
}

async function countOf(session: Session): Promise<number> {
  return (await session.request<{ entries: number }>('/api/status')).entries
}

test('[IT5] receives the writes of others without a request', async () => {
  const space = newSpace()
  const [ann, bob] = [await device(space), await device(space)]
  await ann.replication.awaitInitialReplication()
  await bob.replication.awaitInitialReplication()
  await ann.collection.insert(human('a', 1))
  await expect.poll(() => agesOf(bob.collection)).toEqual({ a: 1 })
  await (await bob.collection.findOne('a').exec(true)).incrementalPatch({ age: 2 })
  await expect.poll(() => agesOf(ann.collection)).toEqual({ a: 2 })
  expect([...ann.errors, ...bob.errors]).toEqual([])
})

test('[IT5] fetches after a reconnect what was written in between', async () => {
  const space = newSpace()
  const [ann, bob] = [await device(space), await device(space)]
  await ann.collection.insert(human('a', 1))
  await expect.poll(() => agesOf(bob.collection)).toEqual({ a: 1 })
  bob.session.loseSockets()
  await ann.collection.insert(human('b', 2))
  await ann.replication.awaitInSync()
  await expect.poll(() => agesOf(bob.collection)).toEqual({ a: 1, b: 2 })
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
  await (await ann.collection.findOne('a').exec(true)).incrementalPatch({ age: 10 })
  await (await bob.collection.findOne('a').exec(true)).incrementalPatch({ age: 100 })
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
  const [name, waitForLeadership] = [randomToken(10), true]
  const first = await device(space, { name, waitForLeadership })
  await first.replication.awaitInitialReplication()
  const second = await device(space, { name, waitForLeadership })
  await second.collection.insert(human('a', 1))
  await expect.poll(() => countOf(first.session)).toBe(1)
  expect(second.replication.wasStarted).toBe(false)
  await close(first.collection)
  await second.collection.insert(human('b', 2))
  await expect.poll(() => countOf(second.session), { timeout: 20_000 }).toBe(2)
})

test('[IT5] continues after a restart: nothing comes twice, and pending edits are sent', async () => {
  const space = newSpace()
  const name = randomToken(10)
  const other = await device(space)
  await other.collection.bulkInsert(Array.from({ length: 20 }, (_, n) => human(`${n}`, n)))
  await other.replication.awaitInSync()
  const before = await device(space, { name, live: false })
  await before.replication.awaitInitialReplication()
  await before.collection.insert(human('offline', 1))
  await close(before.collection)

  await other.collection.insert(human('meanwhile', 1))
  await other.replication.awaitInSync()
  const after = await device(space, { name, live: false })
  const received: unknown[] = []
  after.replication.received$.subscribe(({ passportId }) => received.push(passportId))
  await after.replication.awaitInitialReplication()
  expect(received).toContain('meanwhile')
  expect(received.length).toBeLessThan(3)
  expect(await countOf(after.session)).toBe(22)
  expect(Object.keys(await agesOf(after.collection))).toHaveLength(22)
})

test('[IT5] replicates deletions, and re-creations after them', async () => {
  const space = newSpace()
  const [ann, bob] = [await device(space), await device(space)]
  await ann.collection.bulkInsert([human('a', 1), human('b', 2)])
  await inSync(ann.replication, bob.replication)
  await (await bob.collection.findOne('a').exec(true)).remove()
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
  await (await ann.collection.findOne('a').exec(true)).remove()
  await inSync(ann.replication)
  await (await bob.collection.findOne('a').exec(true)).incrementalPatch({ age: 2 })
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
  const again = await openSession(service, space)
  again.loseReply()
  const replication = replicateChronicle({ session: again, collection: ann.collection, live: false })
  await replication.awaitInitialReplication()
  const { versions } = await again.request<{ versions: unknown[] }>('/api/history?key=human/a')
  expect(versions).toHaveLength(1)
  expect((await again.request<{ conflicts: unknown[] }>('/api/conflicts')).conflicts).toEqual([])
})
