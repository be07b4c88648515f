import type { RxConflictHandler } from 'rxdb'
import { expect, test } from 'vitest'
import { replicateChronicle, type Service } from '../../client/src/rxdb.ts'
import { newSpace } from './network.ts'
import {
  agesOf,
  countOf,
  device,
  eraseSpace,
  type Human,
  human,
  inSync,
  openAt,
  remove,
  setAge,
} from './rxdb-device.ts'

/** A refusal is a matter of milliseconds, on a machine that does nothing else. */
const SOON = { timeout: 10_000 }
const HUGE = 'x'.repeat(300_000)

/** A service that has forgotten the deletion of a document. Its next page begins at the start. */
function forgetting(service: Service, key: string): Service & { reset: boolean } {
  const forgetful = {
    ...service,
    reset: false,
    async request(path: string, init?: { method?: string; body?: object }) {
      const { body } = init ?? {}
      if (!forgetful.reset || !body || !('cursor' in body)) return service.request(path, init)
      forgetful.reset = false
      const start = { method: 'POST', body: { ...body, cursor: null } }
      const page = (await service.request(path, start)) as { changes: { key: string }[] }
      const changes = page.changes.filter((entry) => entry.key !== key)
      return { ...page, changes, reset: true, resetReason: 'floor' }
    },
  }
  return forgetful
}

test('[IT5] puts a refused document back, names it, and holds up no other document', async () => {
  const ann = await device(newSpace())
  await ann.collection.insert(human('a', 1))
  await inSync(ann.replication)
  await (await ann.collection.findOne('a').exec(true)).incrementalPatch({ lastName: HUGE })
  await ann.collection.bulkInsert([{ ...human('b', 2), lastName: 'party \ud83d' }, human('c', 3)])
  await expect.poll(() => agesOf(ann.collection), SOON).toEqual({ a: 1, c: 3 })
  await inSync(ann.replication)
  expect(await countOf(ann.service)).toBe(2)
  expect(ann.rejected.map(({ code, document }) => [document.passportId, code])).toEqual([
    ['a', 'value-too-large'],
    ['b', 'lone-surrogate'],
  ])
  expect(ann.errors).toEqual([])
  await setAge(ann, 'a', 10)
  await inSync(ann.replication)
  expect((await ann.service.request('/api/entries?key=human/a')) as object).toMatchObject({
    value: { age: 10 },
  })
})

test('[IT5] does not send a refused document for ever when the conflict handler insists on it', async () => {
  const conflictHandler: RxConflictHandler<Human> = {
    isEqual: (a, b) => a.lastName === b.lastName && a._deleted === b._deleted,
    resolve: async ({ newDocumentState }) => newDocumentState,
  }
  const ann = await device(newSpace(), { conflictHandler })
  await ann.collection.insert({ ...human('a', 1), lastName: HUGE })
  await expect.poll(() => ann.rejected, SOON).toHaveLength(1)
  await ann.collection.insert(human('b', 2))
  await expect.poll(() => countOf(ann.service), SOON).toBe(1)
  await inSync(ann.replication)
  expect(ann.rejected).toHaveLength(1)
  expect(ann.network.pushes.length).toBeLessThan(5)
  expect(await agesOf(ann.collection)).toEqual({ a: 1, b: 2 })
})

test('[IT5] sends more than a request can hold in several', async () => {
  const ann = await device(newSpace())
  const large = Array.from({ length: 30 }, (_, n) => ({
    ...human(`${n}`, n),
    lastName: 'x'.repeat(200_000),
  }))
  await ann.replication.pause()
  await ann.collection.bulkInsert(large)
  await ann.replication.start()
  await inSync(ann.replication)
  expect(await countOf(ann.service)).toBe(30)
  expect(ann.errors).toEqual([])
})

test('[IT5] says that the policy of the collection is not server-wins', async () => {
  const space = newSpace()
  const [ann, bob] = [await device(space, { name: 'tasks' }), await device(space, { name: 'tasks' })]
  await ann.collection.insert(human('a', 1))
  await inSync(ann.replication, bob.replication)
  await bob.replication.pause()
  await setAge(ann, 'a', 2)
  await inSync(ann.replication)
  await setAge(bob, 'a', 3)
  await bob.replication.start()
  await expect.poll(() => JSON.stringify(bob.errors), SOON).toContain('must be server-wins')
})

test('[IT5] tells of no refusal of a document that was never on the service and is gone', async () => {
  const ann = await device(newSpace())
  await inSync(ann.replication)
  await ann.replication.pause()
  await ann.collection.insert({ ...human('a', 1), lastName: 'party \ud83d' })
  await remove(ann, 'a')
  await ann.replication.start()
  await ann.collection.insert(human('b', 2))
  await expect.poll(() => countOf(ann.service), SOON).toBe(1)
  await inSync(ann.replication)
  expect(ann.rejected).toEqual([])
})

test('[IT5] removes documents after a reading from the start that lacks them, except unsent ones', async () => {
  const { service } = await openAt(newSpace())
  const forgetful = forgetting(service, 'human/b')
  const ann = await device('unused', { service: forgetful })
  await ann.collection.bulkInsert([human('a', 1), human('b', 2)])
  await inSync(ann.replication)
  await ann.replication.pause()
  await ann.collection.insert(human('unsent', 3))
  forgetful.reset = true
  await ann.replication.start()
  await expect.poll(() => agesOf(ann.collection), SOON).toEqual({ a: 1, unsent: 3 })
  await inSync(ann.replication)
  expect(await agesOf(ann.collection)).toEqual({ a: 1, unsent: 3 })
})

test('[IT5] keeps documents that an erased space no longer has, says so, and can offer them again', async () => {
  const space = newSpace()
  const reasons: string[] = []
  const ann = await device(space, { onReset: (reason) => reasons.push(reason) })
  await ann.collection.insert(human('a', 1))
  await inSync(ann.replication)
  await eraseSpace(space)
  await expect.poll(() => reasons.length, SOON).toBeGreaterThan(0)
  await inSync(ann.replication)
  expect(reasons).toEqual(['epoch'])
  expect(await agesOf(ann.collection)).toEqual({ a: 1 })
  expect(await countOf(ann.service)).toBe(0)
  await ann.replication.remove()
  const { collection, service } = ann
  await replicateChronicle({ collection, service, name: 'human', live: false }).awaitInitialReplication()
  expect(await countOf(service)).toBe(1)
})
