import { describe, expect, test } from 'vitest'
import { MemoryStore } from '../../client/src/store/memory.ts'
import { mintToken } from '../support/cloud/cloud.ts'
import { withCloud } from '../support/cloud/with-cloud.ts'
import { until } from '../support/until.ts'
import { cutOff, deviceOf, openDevice, revoke, rowsOf } from './device.ts'

const cloud = withCloud()

describe('an edit that the service rejects', () => {
  const deep = JSON.parse(`${'['.repeat(200)}${']'.repeat(200)}`) as unknown
  test.each([
    ['value-too-large', 'a', { text: 'x'.repeat(300 * 1024) }],
    ['body-too-large', 'a', { text: 'x'.repeat(1_100 * 1024) }],
    ['too-deep', 'a', { deep }],
    ['lone-surrogate', 'a', { text: '\ud800' }],
    ['invalid-key', 'x'.repeat(600), {}],
    ['invalid-key', 'line\nbreak', {}],
    ['invalid-key', 'half \ud800', {}],
  ])('as %s is set aside, and the edits around it go through', async (code, id, value) => {
    const { db } = await deviceOf(cloud, `rejected-${code}-${id.length}`)
    const notes = db.collection('notes')
    const before = notes.put('before', {})
    const bad = notes.put(id, value as never)
    const after = notes.put('after', {})
    await expect(bad.synced).rejects.toMatchObject({ code })
    expect([(await before.synced).status, (await after.synced).status]).toEqual(['applied', 'applied'])
    await db.sync()
    await until(() => db.troubles.getSnapshot().length === 1)
    expect(db.troubles.getSnapshot()).toMatchObject([{ status: 'rejected', code, mine: value }])
    expect(db.status.getSnapshot()).toMatchObject({ pending: 0, troubles: 1, obstacle: null })
    expect(Object.keys(await rowsOf(db))).toEqual(['after', 'before'])
    const again = db.troubles.getSnapshot()[0]?.retry({ fixed: true }).synced
    // Another value does not mend a key.
    if (code === 'invalid-key') await expect(again).rejects.toMatchObject({ code })
    else expect(await again).toMatchObject({ status: 'applied' })
  })
})

test('3,000 edits that were made offline arrive, each once and in order', async () => {
  const { db, network } = await deviceOf(cloud, 'many')
  network.instead = cutOff
  const notes = db.collection('notes')
  await Promise.all(Array.from({ length: 3_000 }, (_, n) => notes.put(String(n % 700), { n })))
  expect(db.status.getSnapshot().pending).toBe(3_000)
  network.instead = () => undefined
  await db.sync()
  const other = await deviceOf(cloud, 'many')
  await other.db.sync()
  const rows = await rowsOf(other.db)
  expect(Object.keys(rows)).toHaveLength(700)
  for (let id = 0; id < 700; id += 1) expect(rows[id]).toEqual({ n: id + 700 * (id < 200 ? 4 : 3) })
  expect(db.status.getSnapshot()).toMatchObject({ pending: 0, troubles: 0 })
  expect((await db.history('notes/5')).versions.map(({ value }) => value)).toEqual(
    [2_805, 2_105, 1_405, 705, 5].map((n) => ({ n })),
  )
})

test('a batch whose reply was lost is sent again, and takes effect once', async () => {
  const { db, network } = await deviceOf(cloud, 'lost-replies')
  let lost = 0
  network.after = (request, response) => {
    if (request.path !== '/api/sync' || lost === 3) return response
    lost += 1
    return cutOff()
  }
  const edits = [1, 2, 3].map((n) => db.collection('notes').put('a', { n }))
  const results = await Promise.all(edits.map(({ synced }) => synced))
  expect(results.map(({ status }) => status)).toEqual(['applied', 'applied', 'applied'])
  expect((await db.history('notes/a')).versions).toHaveLength(3)
  expect(await rowsOf(db)).toEqual({ a: { n: 3 } })
})

test('a copy of a store becomes another client, and loses nothing', async () => {
  const store = new MemoryStore()
  const token = await mintToken(cloud, 'cloned')
  const first = await openDevice(cloud, { token: () => token, store })
  await first.db.collection('notes').put('a', { n: 1 }).synced
  const copy = new MemoryStore()
  const { entries, ...found } = await store.read({ prefix: '' })
  await copy.update({}, () => ({
    ...(found.state && { state: found.state }),
    entries: [...entries.values()],
  }))
  await first.db.collection('notes').put('b', { by: 'the original' }).synced
  const second = await openDevice(cloud, { token: () => token, store: copy })
  expect((await second.db.collection('notes').put('c', { by: 'the copy' }).synced).status).toBe('applied')
  await second.db.collection('notes').put('d', { by: 'the copy' }).synced
  await first.db.sync()
  const all = { a: { n: 1 }, b: { by: 'the original' }, c: { by: 'the copy' }, d: { by: 'the copy' } }
  expect([await rowsOf(first.db), await rowsOf(second.db)]).toEqual([all, all])
  const ids = await Promise.all([store, copy].map(async (one) => (await one.read({})).state?.clientId))
  expect(new Set(ids).size).toBe(2)
})

describe('a token', () => {
  test('that may only read keeps the edits, says why, and still reads', async () => {
    const writer = await deviceOf(cloud, 'read-only')
    const { db } = await deviceOf(cloud, 'read-only', { scopes: ['sync:read'] })
    await db.collection('notes').put('mine', {})
    await until(() => db.status.getSnapshot().obstacle?.code === 'forbidden-scope')
    await writer.db.collection('notes').put('theirs', { n: 1 }).synced
    await db.sync().catch(() => {})
    await until(async () => 'theirs' in (await rowsOf(db)))
    expect(db.status.getSnapshot()).toMatchObject({ pending: 1, troubles: 0 })
  })

  test('for some collections lets edits of others be rejected alone', async () => {
    const token = await mintToken(cloud, 'narrow', { collections: ['notes'] })
    const { db } = await openDevice(cloud, { token: () => token })
    const refused = db.collection('other').put('a', {})
    const taken = db.collection('notes').put('a', {})
    await expect(refused.synced).rejects.toMatchObject({ code: 'forbidden-key' })
    expect(await taken.synced).toMatchObject({ status: 'applied' })
  })

  test('that does not grant a collection of the client sets its edits aside, and syncs the others', async () => {
    const token = await mintToken(cloud, 'narrower', { collections: ['notes'] })
    const { db } = await openDevice(cloud, { token: () => token, collections: ['notes', 'other'] })
    const [own, foreign] = [db.collection('notes').put('a', {}), db.collection('other').put('b', {})]
    expect((await own.synced).status).toBe('applied')
    await expect(foreign.synced).rejects.toMatchObject({ code: 'forbidden-key' })
    await until(() => db.status.getSnapshot().troubles === 1)
    expect(db.status.getSnapshot()).toMatchObject({ pending: 0, obstacle: null })
  })

  test('that grants no collection of the client keeps the edits', async () => {
    const token = await mintToken(cloud, 'narrowest', { collections: ['tags'] })
    const { db } = await openDevice(cloud, { token: () => token, collections: ['notes', 'other'] })
    await db.collection('notes').put('a', {})
    await expect(db.sync()).rejects.toMatchObject({ code: 'forbidden-collection' })
    expect(db.status.getSnapshot()).toMatchObject({ pending: 1, troubles: 0 })
  })

  test('that was revoked keeps the edits until there is another one', async () => {
    let token = await mintToken(cloud, 'revoked-one')
    const { db } = await openDevice(cloud, { token: () => token })
    await db.sync()
    await revoke(cloud, token)
    const edit = db.collection('notes').put('a', {})
    await until(() => db.status.getSnapshot().obstacle?.code === 'sign-in')
    expect(db.status.getSnapshot().pending).toBe(1)
    token = await mintToken(cloud, 'revoked-one')
    await db.sync()
    expect((await edit.synced).status).toBe('applied')
  })
})

test('a filter hides other collections, also those that this device writes to, and a change of it resets the copy', async () => {
  const store = new MemoryStore()
  const writer = await deviceOf(cloud, 'filtered')
  for (const name of ['notes', 'tags', 'other']) await writer.db.collection(name).put('a', { name }).synced
  const { db } = await deviceOf(cloud, 'filtered', { store, collections: ['notes', 'tags'] })
  await db.sync()
  expect([await rowsOf(db, 'notes'), await rowsOf(db, 'tags')]).toEqual([
    { a: { name: 'notes' } },
    { a: { name: 'tags' } },
  ])
  await db.close({ discard: true })
  const narrow = await deviceOf(cloud, 'filtered', { store, collections: ['notes'] })
  await narrow.db.collection('notes').put('b', {}).synced
  await narrow.db.sync()
  expect((await store.count()).entries).toBe(2)
  expect(Object.keys(await rowsOf(narrow.db))).toEqual(['a', 'b'])
})

test('pages of the feed bring 1,200 entries of others, and deletions among them', async () => {
  const writer = await deviceOf(cloud, 'paged')
  for (let n = 0; n < 1_200; n += 1) void writer.db.collection('notes').put(String(n), { n })
  await writer.db.sync()
  const reader = await deviceOf(cloud, 'paged')
  await reader.db.sync()
  expect(Object.keys(await rowsOf(reader.db))).toHaveLength(1_200)
  for (let n = 0; n < 600; n += 1) void writer.db.collection('notes').delete(String(n))
  await writer.db.sync()
  await reader.db.sync()
  expect(Object.keys(await rowsOf(reader.db))).toHaveLength(600)
})
