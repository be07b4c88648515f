/** Rows of entries and clients that the newest row of the log holds, where something else changes their tables. */
import { evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { openSpace, type Space } from '../../../worker/src/objects/space/space.ts'
import { upkeep } from '../../../worker/src/objects/upkeep/upkeep.ts'
import { acceptBatch } from '../../../worker/src/objects/write/accept.ts'
import { CLIENTS, HEADS } from '../../support/stored-rows.ts'
import { type Device, device, send } from '../../support/worker/client.ts'
import { exportOf, newSpace, upload } from '../../support/worker/imports.ts'
import { sessionOf } from '../../support/worker/session.ts'

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

test('[SG4] keeps the rows of a batch that comes right before a pass rewrites its log row', async () => {
  const { space, a } = await newSpace()
  await a.sync({ changes: [{ key: 'k/1', value: 1, timestamp: T }] })
  await runInDurableObject(env.CHRONICLE.getByName(space), async (_, state) => {
    await upkeep(openSpace(state, env), Date.now())
    // The pass under a new key goes on with the archive, so its first step ends right after it has rewritten the row.
    const MASTER_KEY = `2:${btoa('n'.repeat(32))} ${env.MASTER_KEY}`
    const opened = openSpace(state, { ...env, MASTER_KEY })
    await beforeKeys(opened, async () => {
      const session = sessionOf({ client: 'late', scopes: ['sync:write'] })
      const request = { batch: 1, changes: [{ key: 'k/2', value: 'late', timestamp: T }] }
      await acceptBatch(opened, { session, request, clock: { now: Date.now(), skew: 0 } })
    })
    await upkeep(opened, Date.now())
    expect(opened.store.passes().now?.of).toBe('archive')
  })
  const rows = await inDatabase(space, (sql) => [HEADS, CLIENTS].map((query) => sql.exec(query).toArray()))
  expect(rows).toMatchObject([
    [{ key: 'k/1' }, { key: 'k/2' }],
    [{ id: a.id }, { id: 'late' }],
  ])
})

/** Lets something happen while the keys of a space are next awaited. */
async function beforeKeys(space: Space, happen: () => Promise<unknown>): Promise<void> {
  const { keys } = space
  await keys()
  const once = async () => {
    Object.assign(space, { keys })
    await happen()
    return keys()
  }
  Object.assign(space, { keys: once })
}

test('[SG9] keeps the clear names of a space whose only entries wait for their table', async () => {
  const space = crypto.randomUUID()
  await runInDurableObject(env.CHRONICLE.getByName(space), async (_, state) => {
    const clear = openSpace(state, { ...env, ENTRY_NAMES: 'clear' })
    const session = sessionOf({ client: 'a', scopes: ['sync:write'] })
    const request = { batch: 1, changes: [{ key: 'k/1', value: 1, timestamp: T }] }
    await acceptBatch(clear, { session, request, clock: { now: Date.now(), skew: 0 } })
    const keyed = openSpace(state, { ...env, ENTRY_NAMES: 'keyed' })
    await keyed.keys()
    expect(keyed.store.entryStates(['k/1']).size).toBe(1)
  })
})
