import { describe, expect, test } from 'vitest'
import { MemoryStore } from '../../../client/src/store/memory.ts'
import { type Trouble, Troubles } from '../../../client/src/troubles.ts'
import { settle } from '../../support/client/hand.ts'
import { contentOf, handDevice } from '../../support/client/hand-device.ts'
import { PlainService, problem } from '../../support/client/plain-service.ts'

/** A device whose edit of `notes/bad` was refused. */
async function troubled(store = new MemoryStore()) {
  const service = new PlainService()
  service.decide = ({ key }) =>
    key === 'notes/bad'
      ? { result: { key, status: 'rejected', code: 'value-too-large', path: '/value' } as never }
      : undefined
  const device = await handDevice({ store, service })
  await device.db.collection('notes').put('bad', { n: 1 })
  await device.db.sync()
  await settle()
  const [trouble] = device.db.troubles.getSnapshot()
  if (!trouble) throw new Error('there is no trouble')
  service.decide = () => undefined
  return { ...device, trouble }
}

test('tells of a refused edit, which does not hold up others', async () => {
  const { db, trouble } = await troubled()
  expect(trouble).toMatchObject({
    ...{ status: 'rejected', key: 'notes/bad', mine: { n: 1 }, code: 'value-too-large', path: '/value' },
  })
  await db.collection('notes').put('good', { n: 2 }).synced
  await settle()
  expect(db.status.getSnapshot()).toMatchObject({ pending: 0, troubles: 1 })
})

test('tells each trouble once, those that were there included', async () => {
  const { db } = await troubled()
  const told: string[] = []
  const stop = db.on('rejected', ({ key }) => told.push(key))
  db.on('conflict', ({ key }) => told.push(`conflict ${key}`))
  await settle()
  await db.collection('notes').put('other', {})
  await db.sync()
  await settle()
  expect(told).toEqual(['notes/bad'])
  stop()
})

test('remembers troubles when it is opened again', async () => {
  const store = new MemoryStore()
  const first = await troubled(store)
  await first.db.close({ discard: true })
  const { db } = await handDevice({ store, service: first.service })
  expect(db.troubles.getSnapshot()).toMatchObject([{ key: 'notes/bad', mine: { n: 1 } }])
  const told: Trouble[] = []
  db.on('rejected', (trouble) => told.push(trouble))
  await settle()
  expect(told).toHaveLength(1)
})

describe('a trouble ends once', () => {
  test('by a retry, with another value if one is given', async () => {
    const { db, trouble, service } = await troubled()
    await trouble.retry({ n: 3 })
    expect(await trouble.retry({ n: 4 }).synced).toEqual({ status: 'noop' })
    await db.sync()
    expect(service.values()).toEqual({ 'notes/bad': { n: 3 } })
    expect(db.troubles.getSnapshot()).toEqual([])
  })

  test('by one of two retries in the same moment, and edits beside them are not affected', async () => {
    const { db, trouble, service } = await troubled()
    const edits = [trouble.retry(), db.collection('notes').put('x', {}), trouble.retry({ n: 9 })]
    const results = await Promise.allSettled([...edits, db.collection('notes').put('y', {})])
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled', 'fulfilled'])
    await db.sync()
    expect(service.values()).toEqual({ 'notes/bad': { n: 1 }, 'notes/x': {}, 'notes/y': {} })
  })

  test('by a dismissal, after which the service keeps what it has', async () => {
    const { db, trouble, service } = await troubled()
    await trouble.discard()
    await trouble.discard()
    await settle()
    expect(db.troubles.getSnapshot()).toEqual([])
    expect(await trouble.retry().synced).toEqual({ status: 'noop' })
    await db.sync()
    expect(service.values()).toEqual({})
    expect(db.status.getSnapshot().troubles).toBe(0)
  })
})

test('only an open conflict can be resolved', async () => {
  const { trouble } = await troubled()
  expect(() => trouble.resolve('mine')).toThrow(TypeError)
})

test('a decision is made on the version that the user saw', async () => {
  const { db, service, hand } = await handDevice()
  service.write('notes/a', { n: 'theirs' })
  service.decide = ({ key }) => ({
    result: { key, status: 'conflict', version: 'one.1', conflict: 7 } as never,
    conflict: { id: 7, key, winner: { version: 'one.1', value: { n: 'theirs' } } } as never,
  })
  await db.collection('notes').put('a', { n: 'mine' }).synced
  await settle()
  service.answer = ({ path }) => (path.endsWith('/resolve') ? problem(503, 'busy') : undefined)
  void db.troubles.getSnapshot()[0]?.resolve('mine')
  await settle()
  service.decide = () => undefined
  service.write('notes/a', { n: 'newer' })
  await db.sync().catch(() => {})
  await hand.pass(5_000)
  const decisions = service.requests.filter(({ path }) => path === '/api/conflicts/7/resolve')
  expect(decisions.length).toBeGreaterThan(1)
  expect(new Set(decisions.map(({ body }) => body['base']))).toEqual(new Set(['one.1']))
  expect(await contentOf(db)).toEqual({ a: { n: 'mine' } })
})

test('shows no trouble while the token is of another user, and tells none of them again', async () => {
  const outcome = {
    id: 1,
    key: 'notes/a',
    status: 'rejected',
    edit: { id: 1, key: 'notes/a', value: 'mine' },
  }
  const store = new MemoryStore()
  await store.update({}, () => ({ outcomes: [outcome as never] }))
  const nothing = () => Promise.reject(new Error('not called'))
  const troubles = new Troubles({
    store: () => store,
    open: async (value) => value,
    write: nothing as never,
    discard: nothing,
  })
  const told: number[] = []
  troubles.on('rejected', ({ id }) => told.push(id))
  await troubles.refresh()
  const shown = () => troubles.list.getSnapshot().map(({ id }) => id)
  expect(shown()).toEqual([1])
  troubles.hide(true)
  await troubles.refresh()
  expect(shown()).toEqual([])
  troubles.hide(false)
  await troubles.refresh()
  expect([shown(), told]).toEqual([[1], [1]])
})
