import { describe, expect, test } from 'vitest'
import { MemoryStore } from '../../client/src/store/memory.ts'
import { mintToken } from '../support/cloud/cloud.ts'
import { withCloud } from '../support/cloud/with-cloud.ts'
import { until } from '../support/until.ts'
import { cutOff, deviceOf, openDevice, operate, pushesOf, revoke, rowsOf } from './device.ts'

const cloud = withCloud()

describe('a token of another user', () => {
  test.each([
    ['of another space', 'ann-1', 'ben-1', {}],
    ['of another member of the space', 'ann-2', 'ben-2', { space: 'shared' }],
  ])('%s is never sent the queue, which waits for its own user', async (_, ann, ben, more) => {
    const [own, other] = [await mintToken(cloud, ann, more), await mintToken(cloud, ben, more)]
    let token = own
    const { db, network } = await openDevice(cloud, { token: () => token })
    await db.sync()
    network.instead = cutOff
    const edit = db.collection('notes').put('a', { by: 'ann' })
    await edit
    token = other
    await operate(cloud, '/api/auth', { method: 'DELETE', bearer: network.bearer })
    network.requests.length = 0
    network.instead = () => undefined
    await expect(db.sync()).rejects.toMatchObject({ code: 'other-user' })
    await until(() => db.status.getSnapshot().obstacle?.code === 'other-user')
    expect(db.status.getSnapshot()).toMatchObject({ pending: 1 })
    await expect(db.history('notes/a')).rejects.toMatchObject({ code: 'other-user' })
    // The other user sees nothing of the first one, and adds nothing to the queue.
    const notes = db.collection('notes')
    await expect(notes.put('b', { by: 'ben' })).rejects.toMatchObject({ code: 'other-user' })
    expect([await notes.get('a'), await notes.all()]).toEqual([undefined, []])
    expect(await db.unsynced()).toMatchObject([{ key: 'notes/a', status: 'pending', value: undefined }])
    // The one push was that in the session of the first user, which has ended.
    expect(pushesOf(network)).toHaveLength(1)
    token = own
    await until(async () => db.status.getSnapshot().pending === 0)
    expect(await edit.synced).toMatchObject({ status: 'applied' })
    await until(async () => (await db.collection('notes').all()).length === 1)
  })

  test('is noticed when the store is opened again, before anything is sent', async () => {
    const store = new MemoryStore()
    const first = await deviceOf(cloud, 'opened-by-ann', { store })
    await first.db.sync()
    first.network.instead = cutOff
    await first.db.collection('notes').put('a', {})
    await first.db.close({ discard: true })
    const { db, network } = await deviceOf(cloud, 'opened-by-ben', { store })
    await expect(db.sync()).rejects.toMatchObject({ code: 'other-user' })
    expect(network.requests.map(({ path }) => path)).not.toContain('/api/sync')
    await expect(db.logout()).rejects.toMatchObject({ code: 'unsynced' })
    await db.logout({ discard: true })
    const again = await deviceOf(cloud, 'opened-by-ben', { store })
    await again.db.collection('notes').put('b', {}).synced
    expect(await rowsOf(again.db)).toEqual({ b: {} })
  })
})

test('another token of the same user keeps the queue', async () => {
  const tokens = [await mintToken(cloud, 'renewed'), await mintToken(cloud, 'renewed')]
  let asked = 0
  const token = () => {
    asked += 1
    return tokens[asked === 1 ? 0 : 1] ?? ''
  }
  const { db } = await openDevice(cloud, { token })
  await db.collection('notes').put('a', {}).synced
  await revoke(cloud, tokens[0] ?? '')
  const result = await db.collection('notes').put('b', {}).synced
  expect(result.status).toBe('applied')
  expect(asked).toBe(2)
  expect(await rowsOf(db)).toEqual({ a: {}, b: {} })
})

test.each([
  ['throws', 'signed-out-1', () => Promise.reject(new Error('signed out'))],
  ['returns nothing', 'signed-out-2', () => '' as string],
])('a token() that %s keeps the edits, and asks for a log-in', async (_, subject, failing) => {
  const good = await mintToken(cloud, subject)
  let token: () => string | Promise<string> = failing
  const { db, network } = await openDevice(cloud, { token: () => token() })
  const edit = db.collection('notes').put('a', {})
  await edit
  await expect(db.sync()).rejects.toMatchObject({ code: 'sign-in' })
  expect(db.status.getSnapshot()).toMatchObject({ pending: 1, obstacle: { code: 'sign-in' } })
  expect(network.requests).toEqual([])
  token = () => good
  await db.sync()
  expect((await edit.synced).status).toBe('applied')
})

describe('a logout', () => {
  test('sends the queue, ends the session at the service, and leaves nothing on the device', async () => {
    const store = new MemoryStore()
    const { db, network } = await deviceOf(cloud, 'leaving', { store })
    await db.collection('notes').put('a', { n: 1 })
    await db.logout()
    expect(network.requests.at(-1)).toMatchObject({ path: '/api/auth', method: 'DELETE' })
    expect(await store.count()).toEqual({ entries: 0, edits: 0, outcomes: 0 })
    await expect(db.collection('notes').put('b', {})).rejects.toMatchObject({ code: 'closed' })
    const next = await deviceOf(cloud, 'leaving', { store })
    await next.db.sync()
    expect(await rowsOf(next.db)).toEqual({ a: { n: 1 } })
  })

  test('refuses to drop edits that the service does not have, and names them', async () => {
    const { db, network, store } = await deviceOf(cloud, 'staying')
    await db.sync()
    network.instead = cutOff
    const edit = db.collection('notes').put('a', { n: 1 })
    await expect(db.logout()).rejects.toMatchObject({
      code: 'unsynced',
      edits: [{ key: 'notes/a', value: { n: 1 }, status: 'pending' }],
    })
    expect(await rowsOf(db)).toEqual({ a: { n: 1 } })
    await db.logout({ discard: true })
    await expect(edit.synced).rejects.toMatchObject({ code: 'closed' })
    expect((await store.count()).edits).toBe(0)
  })
})

describe('closing', () => {
  test('keeps edits, which are sent when the store is opened again', async () => {
    const store = new MemoryStore()
    const { db, network } = await deviceOf(cloud, 'reopened', { store })
    await db.sync()
    network.instead = cutOff
    await db.collection('notes').put('a', { n: 1 })
    await expect(db.close()).rejects.toMatchObject({ code: 'unsynced' })
    await db.close({ discard: true })
    await db.close()
    const next = await deviceOf(cloud, 'reopened', { store })
    expect(await rowsOf(next.db)).toEqual({ a: { n: 1 } })
    await next.db.sync()
    const other = await deviceOf(cloud, 'reopened')
    await other.db.sync()
    expect(await rowsOf(other.db)).toEqual({ a: { n: 1 } })
  })

  test('in the middle of a push leaves the batch, which takes effect once', async () => {
    const store = new MemoryStore()
    const { db, network } = await deviceOf(cloud, 'cut-off', { store })
    await db.sync()
    const pushed = new Promise<void>((resolve) => {
      network.after = () => {
        resolve()
        return new Promise(() => {})
      }
    })
    await db.collection('notes').put('a', { n: 1 })
    await pushed
    await db.close({ discard: true })
    const next = await deviceOf(cloud, 'cut-off', { store })
    await next.db.sync()
    const { versions } = await next.db.history('notes/a')
    expect(versions).toHaveLength(1)
    expect(await rowsOf(next.db)).toEqual({ a: { n: 1 } })
  })
})

test('diagnostics have no key, value or credential', async () => {
  const token = await mintToken(cloud, 'diagnosed-subject')
  const { db, network } = await openDevice(cloud, { token: () => token })
  await db.collection('notes').put('the-key', { the: 'value' }).synced
  network.instead = () => Promise.reject(new Error(`failed with ${token} at the-key`))
  await db.collection('notes').put('the-key', { another: 'value' })
  await db.sync().catch(() => {})
  const text = JSON.stringify(await db.diagnostics())
  for (const secret of [token, 'the-key', 'the":', 'another', 'diagnosed-subject'])
    expect(text).not.toContain(secret)
  expect(JSON.parse(text)).toMatchObject({ store: 'memory', entries: 1, edits: 1, status: { pending: 1 } })
})
