import { beforeAll, expect, test } from 'vitest'
import { withCloud } from '../support/cloud/with-cloud.ts'
import { until } from '../support/until.ts'
import { deviceOf, operate, rowsOf } from './device.ts'

const cloud = withCloud()

beforeAll(async () => {
  const config = await operate(cloud, '/api/config')
  await operate(cloud, '/api/config', {
    method: 'PUT',
    body: { ...config, quota: { entries: 5, bytes: 1_000_000 } },
  })
})

test('a full space takes deletions, and the rest waits until there is room', async () => {
  const [one, other] = [await deviceOf(cloud, 'full'), await deviceOf(cloud, 'full')]
  const notes = one.db.collection('notes')
  for (let n = 0; n < 5; n += 1) await notes.put(String(n), { n }).synced
  await other.db.sync()
  const puts = [notes.put('5', { n: 5 }), notes.put('6', { n: 6 })]
  await until(() => one.db.status.getSnapshot().obstacle?.code === 'quota-exceeded')
  expect(one.db.status.getSnapshot()).toMatchObject({ pending: 2, troubles: 0, online: true })
  expect(await notes.delete('0').synced).toMatchObject({ status: 'applied' })
  await other.db.collection('notes').put('1', { n: 'theirs' }).synced
  await until(async () => JSON.stringify((await rowsOf(one.db))['1']) === '{"n":"theirs"}')
  await other.db.collection('notes').delete('2').synced
  await Promise.all(puts.map(({ synced }) => synced))
  expect(one.db.status.getSnapshot()).toMatchObject({ obstacle: null })
  await other.db.sync()
  expect(Object.keys(await rowsOf(other.db))).toEqual(['1', '3', '4', '5', '6'])
})

test('a logout names the edits that wait in a full space, and a deletion of the same row lets them go', async () => {
  const { db } = await deviceOf(cloud, 'full-2')
  const notes = db.collection('notes')
  for (let n = 0; n < 5; n += 1) await notes.put(String(n), { n }).synced
  const put = notes.put('5', { n: 5 })
  await until(() => db.status.getSnapshot().obstacle?.code === 'quota-exceeded')
  await expect(db.logout()).rejects.toMatchObject({ code: 'unsynced', edits: [{ key: 'notes/5' }] })
  const deletion = notes.delete('5')
  await until(() => db.status.getSnapshot().pending === 0)
  expect((await put.synced).status).toBe('applied')
  expect((await deletion.synced).status).toBe('applied')
  expect(Object.keys(await rowsOf(db))).toEqual(['0', '1', '2', '3', '4'])
})
