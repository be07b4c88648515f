import { describe, expect, test } from 'vitest'
import { MemoryStore } from '../../client/src/store/memory.ts'
import { mintToken } from '../support/cloud/cloud.ts'
import { withCloud } from '../support/cloud/with-cloud.ts'
import { until } from '../support/until.ts'
import { bearerOf, cutOff, type Device, openDevice, operate, rowsOf } from './device.ts'

const cloud = withCloud()
const ADMIN = { scopes: ['sync:read', 'sync:write', 'space:admin'] }

/** A space that the test can erase and restore, with devices that ask for a new token after that. */
function tenant(space: string) {
  const bearer = async () => bearerOf(cloud, await mintToken(cloud, space, ADMIN))
  let current: Promise<string> | undefined
  const token = () => {
    current ??= mintToken(cloud, space)
    return current
  }
  return {
    open: (store = new MemoryStore()) => openDevice(cloud, { token, store }),
    async exported(): Promise<string> {
      return String((await operate(cloud, '/api/export', { bearer: await bearer() }))['text'])
    },
    async erase(): Promise<void> {
      await operate(cloud, '/api/space', {
        method: 'DELETE',
        body: { confirm: space },
        bearer: await bearer(),
      })
      current = undefined
    },
    async restore(text: string): Promise<void> {
      await operate(cloud, '/api/import', { method: 'POST', text, bearer: await bearer() })
    },
  }
}

const put = ({ db }: Device, id: string, n: unknown) => db.collection('notes').put(id, { n } as never).synced

/** The troubles of a device by key. */
async function orphansOf({ db }: Device, count: number) {
  await until(() => db.troubles.getSnapshot().length === count)
  return db.troubles.getSnapshot()
}

describe('after a space was erased', () => {
  test('an entry that only a device has is listed, and goes back or away as the user says', async () => {
    const space = tenant('erased')
    const device = await space.open()
    for (const id of ['a', 'b', 'c']) await put(device, id, id)
    await space.erase()
    await device.db.sync()
    const orphans = await orphansOf(device, 3)
    expect(orphans.map(({ key, status, mine }) => [key, status, mine])).toEqual(
      ['a', 'b', 'c'].map((id) => [`notes/${id}`, 'orphaned', { n: id }]),
    )
    expect(await rowsOf(device.db)).toEqual({})
    expect((await device.db.unsynced()).map(({ status }) => status)).toEqual([
      'orphaned',
      'orphaned',
      'orphaned',
    ])
    await expect(device.db.logout()).rejects.toMatchObject({ code: 'unsynced' })
    await orphans[0]?.retry().synced
    await orphans[1]?.retry({ n: 'changed' }).synced
    await orphans[2]?.discard()
    await device.db.sync()
    expect(await rowsOf(device.db)).toEqual({ a: { n: 'a' }, b: { n: 'changed' } })
    expect(await orphansOf(device, 0)).toEqual([])
    const other = await space.open()
    await other.db.sync()
    expect(await rowsOf(other.db)).toEqual({ a: { n: 'a' }, b: { n: 'changed' } })
  })

  test('edits that wait are sent under new numbers', async () => {
    const space = tenant('erased-while-offline')
    const device = await space.open()
    for (let n = 0; n < 3; n += 1) await put(device, 'a', n)
    device.network.instead = cutOff
    const waiting = device.db.collection('notes').put('b', { n: 'new' })
    await waiting
    await space.erase()
    device.network.instead = () => undefined
    await device.db.sync()
    expect(await waiting.synced).toMatchObject({ status: 'applied' })
    expect(await rowsOf(device.db)).toEqual({ b: { n: 'new' } })
    expect((await device.store.read({})).state).toMatchObject({ batch: 1, restart: null, outgoing: null })
    expect(await orphansOf(device, 1)).toMatchObject([{ key: 'notes/a', mine: { n: 2 } }])
  })

  test('a device that was closed meanwhile finds out', async () => {
    const space = tenant('erased-while-closed')
    const store = new MemoryStore()
    const device = await space.open(store)
    await put(device, 'a', 1)
    await device.db.close({ discard: true })
    await space.erase()
    const again = await space.open(store)
    expect(await rowsOf(again.db)).toEqual({ a: { n: 1 } })
    await again.db.sync()
    expect(await orphansOf(again, 1)).toMatchObject([{ key: 'notes/a', status: 'orphaned' }])
  })
})

describe('after a space was restored from an export', () => {
  test('entries that came back are synced, and only what is missing or newer here is listed', async () => {
    const space = tenant('restored')
    const device = await space.open()
    for (const id of ['same', 'newer', 'edited']) await put(device, id, 'old')
    const backup = await space.exported()
    await put(device, 'newer', 'new')
    await put(device, 'missing', 'new')
    device.network.instead = cutOff
    const waiting = device.db.collection('notes').put('edited', { n: 'mine' })
    await waiting
    await space.erase()
    await space.restore(backup)
    device.network.instead = () => undefined
    await device.db.sync()
    expect(await waiting.synced).toMatchObject({ status: 'applied' })
    expect(await rowsOf(device.db)).toEqual({
      same: { n: 'old' },
      newer: { n: 'old' },
      edited: { n: 'mine' },
    })
    const orphans = await orphansOf(device, 2)
    expect(orphans.map(({ key, mine }) => [key, mine]).sort()).toEqual([
      ['notes/missing', { n: 'new' }],
      ['notes/newer', { n: 'new' }],
    ])
    for (const orphan of orphans) await orphan.retry().synced
    const other = await space.open()
    await other.db.sync()
    expect(await rowsOf(other.db)).toEqual({
      ...{ same: { n: 'old' }, newer: { n: 'new' }, edited: { n: 'mine' }, missing: { n: 'new' } },
    })
  })
})

describe('edits of a space that was restored', () => {
  test('are no conflict if the value that they were made on came back, and are one otherwise', async () => {
    const space = tenant('restored-edits')
    const [device, other] = [await space.open(), await space.open()]
    await put(device, 'kept', 'base')
    await put(device, 'changed', 'base')
    const backup = await space.exported()
    await put(device, 'changed', 'later')
    device.network.instead = cutOff
    const kept = device.db.collection('notes').put('kept', { n: 'mine' })
    const changed = device.db.collection('notes').put('changed', { n: 'mine' })
    await Promise.all([kept, changed])
    await space.erase()
    await space.restore(backup)
    device.network.instead = () => undefined
    await device.db.sync()
    expect((await kept.synced).conflict).toBeUndefined()
    expect((await changed.synced).conflict).toMatchObject({ key: 'notes/changed' })
    await other.db.sync()
    expect(await rowsOf(other.db)).toEqual({ kept: { n: 'mine' }, changed: { n: 'mine' } })
  })

  test('are kept if they were made while the feed is read again', async () => {
    const space = tenant('restored-slowly')
    const device = await space.open()
    for (let n = 0; n < 600; n += 1) void device.db.collection('notes').put(String(n), { n })
    await device.db.sync()
    const backup = await space.exported()
    await space.erase()
    await space.restore(backup)
    let pages = 0
    device.network.after = async ({ path }, response) => {
      if (path === '/api/sync') pages += 1
      if (pages === 1 && path === '/api/sync') {
        void device.db.collection('notes').put('0', { n: 'during' })
        await device.db.collection('notes').put('599', { n: 'during' })
      }
      return response
    }
    await device.db.sync()
    await device.db.sync()
    expect(pages).toBeGreaterThan(1)
    const rows = await rowsOf(device.db)
    expect([rows['0'], rows['599'], Object.keys(rows).length]).toEqual([
      { n: 'during' },
      { n: 'during' },
      600,
    ])
    expect(device.db.troubles.getSnapshot()).toEqual([])
  })
})
