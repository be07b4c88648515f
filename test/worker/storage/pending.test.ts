/** Rows of entries and clients that the newest row of the log holds, where something else changes their tables. */
import { evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { type Device, device, send } from '../../support/worker/client.ts'
import { exportOf, newSpace, upload } from '../../support/worker/imports.ts'

const T = Date.now() - 60_000

const evict = (space: string) => evictDurableObject(env.CHRONICLE.getByName(space))

function inDatabase<R>(space: string, work: (sql: SqlStorage) => R): Promise<R> {
  return runInDurableObject(env.CHRONICLE.getByName(space), (_, { storage }) => work(storage.sql))
}

/** The value that a reader sees, or the status without one. */
async function readValue(a: Device, key: string): Promise<unknown> {
  const { status, body } = await a.get(`/api/entries?key=${key}`)
  return status === 200 ? body.value : status
}

test('[SG4] keeps the rows of a batch that follows an import in the same log row, through a restart', async () => {
  const { space, a } = await newSpace()
  const imported = ['k/1', 'k/2', 'k/3'].map((key) => ({ key, value: 'imported' }))
  expect((await upload(a, exportOf(imported))).status).toBe(200)
  const changes = [
    { key: 'k/2', value: 'synced', timestamp: T },
    { key: 'k/3', deleted: true, timestamp: T },
  ]
  const { results } = (await a.sync({ batch: 1, changes })).body
  expect(await inDatabase(space, (sql) => sql.exec('SELECT count(*) AS n FROM segment').one().n)).toBe(1)
  await evict(space)
  const values = await Promise.all(['k/1', 'k/2', 'k/3'].map((key) => readValue(a, key)))
  expect(values).toEqual(['imported', 'synced', 404])
  expect((await a.sync({ batch: 1, changes })).body).toMatchObject({ replayed: true, results })
})

const MALFORMED = ['', '{}', '[[["k/1","1",0,1,"a",0,0]],[]]', '[[],[["a","s",1,"zz",1,0,"",1]]]']

for (const pending of MALFORMED) {
  test(`[SG5] reports pending rows like ${pending} as corruption, and erases the space nevertheless`, async () => {
    const { space, a } = await newSpace()
    await a.sync({ batch: 1, changes: [{ key: 'k/1', value: 'secret', timestamp: T }] })
    await inDatabase(space, (sql) => sql.exec('UPDATE segment SET pending = ?', pending))
    await evict(space)
    const batch = { batch: 1, changes: [{ key: 'k/1', value: 'secret', timestamp: T }] }
    const replies = [await a.get('/api/entries?key=k/1'), await a.sync({ ...batch, cursor: null })]
    for (const { status, body } of replies) {
      expect(`${status} ${body.code}`).toBe('500 internal')
      expect(JSON.stringify(body)).not.toContain('secret')
    }
    const { session } = await device({ token: a.token, clientId: 'a' })
    const erased = await send('DELETE', '/api/space', { bearer: session, body: { confirm: space } })
    expect(erased).toMatchObject({ status: 200 })
  })
}

test('[SG5] forgets no batch if the newest log row is broken and holds rows of clients', async () => {
  const { space, a } = await newSpace()
  await a.sync({ batch: 1, changes: [{ key: 'k/1', value: 1, timestamp: T }] })
  await inDatabase(space, (sql) => sql.exec(`UPDATE segment SET body = x'00'`))
  await evict(space)
  const rejected = { batch: 2, changes: [{ key: '', value: 2, timestamp: T }] }
  expect((await a.sync(rejected)).body).toMatchObject({ replayed: false })
  await evict(space)
  expect((await a.sync(rejected)).body).toMatchObject({ replayed: true })
})
