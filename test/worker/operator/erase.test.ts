import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { openSpace } from '../../../worker/src/objects/space/space.ts'
import { eraseSpace } from '../../../worker/src/objects/transfer/erase.ts'
import { upkeep } from '../../../worker/src/objects/upkeep/upkeep.ts'
import { beforeOpening } from '../../support/unkind/opening.ts'
import { damageChunks, whileOpening } from '../../support/worker/ageing.ts'
import { type Device, device, mint, type Reply, send } from '../../support/worker/client.ts'
import { exportOf, upload } from '../../support/worker/imports.ts'

const SCOPES = ['sync:read', 'sync:write', 'space:admin']

async function filledSpace(): Promise<{ space: string; session: string; token: string; cursor: string }> {
  const space = crypto.randomUUID()
  const { token } = await mint({ space, scopes: SCOPES })
  const { session, sync } = await device({ token, clientId: 'a' })
  const changes = [{ key: 'k/1', value: 'canary', timestamp: 1 }]
  const { body } = await sync({ batch: 1, cursor: null, changes })
  return { space, session, token, cursor: body.cursor }
}

function erase(bearer: string, body: object) {
  return send('DELETE', '/api/space', { bearer, body })
}

test('[SP1] erases a whole space, and voids the credentials issued before', async () => {
  const { space, session, token, cursor } = await filledSpace()
  expect((await erase(session, { confirm: space })).body).toEqual({ success: true })
  expect((await send('GET', '/api/status', { bearer: session })).body.code).toBe('space-erased')
  expect((await send('POST', '/api/auth', { body: { token } })).body.code).toBe('space-erased')
  const stored = await runInDurableObject(env.CHRONICLE.getByName(space), (_, { storage }) => {
    const count = (table: string) => storage.sql.exec(`SELECT * FROM ${table}`).toArray().length
    return ['segment', 'head', 'client', 'conflict', 'revoked'].map(count)
  })
  expect(stored).toEqual([0, 0, 0, 0, 0])

  await evictDurableObject(env.CHRONICLE.getByName(space))
  expect((await send('GET', '/api/status', { bearer: session })).body.code).toBe('space-erased')
  const next = await device(await mint({ space }))
  const { body } = await next.sync({ batch: 1, cursor, changes: [{ key: 'k/2', value: 2, timestamp: 2 }] })
  expect(body).toMatchObject({ success: true, reset: true, changes: [{ key: 'k/2' }] })
})

test('[SP1] remembers no entry of an erased space', async () => {
  const { space, session } = await filledSpace()
  const changes = Array.from({ length: 100 }, (_, index) => ({ key: `k/${index}`, value: 1, timestamp: 1 }))
  await send('POST', '/api/sync', { bearer: session, body: { batch: 2, changes } })
  await erase(session, { confirm: space })
  const next = await device(await mint({ space }))
  const again = { key: 'k/1', value: 'new', timestamp: 0, base: null }
  const { body } = await next.sync({ batch: 1, changes: [again] })
  expect(body.results).toMatchObject([{ key: 'k/1', status: 'applied' }])
})

test('[SP1] shows the first changes after an erasure, whose numbers replaced versions had before', async () => {
  const { space, session, cursor } = await filledSpace()
  const again = { key: 'k/1', value: 'again', timestamp: 2 }
  const { body } = await send('POST', '/api/sync', {
    bearer: session,
    body: { batch: 2, cursor, changes: [again] },
  })
  expect(body.results).toMatchObject([{ status: 'applied' }])
  await send('GET', '/api/changes', { bearer: session })
  await erase(session, { confirm: space })
  const next = await device(await mint({ space }))
  await next.sync({ batch: 1, changes: ['k/2', 'k/3'].map((key) => ({ key, value: 2, timestamp: 2 })) })
  expect((await next.get('/api/changes')).body.changes).toMatchObject([{ key: 'k/2' }, { key: 'k/3' }])
})

test('[SP1] shows no change of an erased space after an import of as many', async () => {
  const { space, session } = await filledSpace()
  await erase(session, { confirm: space })
  const next = await device(await mint({ space, scopes: SCOPES }))
  expect((await upload(next, exportOf([{ key: 'k/2', value: 'new' }]))).status).toBe(200)
  expect((await next.get('/api/changes')).body.changes).toMatchObject([{ key: 'k/2', value: 'new' }])
})

test('[SP1] erases nothing without the scope or the name of the space', async () => {
  const { space, session, token } = await filledSpace()
  expect((await erase(session, { confirm: 'other' })).body).toMatchObject({
    status: 422,
    detail: 'confirm: expected the name of the space.',
  })
  expect((await erase(session, {})).status).toBe(422)
  const other = await device(await mint({ space }))
  expect((await erase(other.session, { confirm: space })).body.code).toBe('forbidden-scope')
  const { body } = await (await device({ token })).get('/api/status')
  expect(body.entries).toBe(1)
})

test('[SP1] refuses a batch that was in flight when the space was erased', async () => {
  const { space, session } = await filledSpace()
  const changes = Array.from({ length: 500 }, (_, n) => ({
    key: `k/${n}`,
    value: 'x'.repeat(1000),
    timestamp: n,
  }))
  const [pushed, erased] = await Promise.all([
    send('POST', '/api/sync', { bearer: session, body: { batch: 2, changes } }),
    erase(session, { confirm: space }),
  ])
  expect(erased.status).toBe(200)
  const next = await device(await mint({ space }))
  expect((await next.get('/api/status')).body.entries).toBe(0)
  expect([200, 401]).toContain(pushed.status)
})

/** Runs `meanwhile` once while an object opens a chunk that it reads. */
function whileReading(happen: () => Promise<unknown>): void {
  let hasHappened = false
  beforeOpening(() => {
    if (hasHappened) return
    hasHappened = true
    return happen()
  })
}

/** Every way to read a space with an open conflict. */
const READS: readonly [what: string, ask: (a: Device, cursor: string) => Promise<Reply>][] = [
  ['changes', (a) => a.get('/api/changes')],
  ['an entry', (a) => a.get('/api/entries?key=x/1')],
  ['a history', (a) => a.get('/api/history?key=x/1')],
  ['conflicts', (a) => a.get('/api/conflicts')],
  ['a pull', (a) => a.sync({ changes: [], cursor: null })],
  ['a push that pulls', (a) => a.sync({ changes: [{ key: 'x/2', value: 1, timestamp: 1 }], cursor: null })],
  [
    'a push that conflicts',
    (a) => a.sync({ changes: [{ key: 'x/1', value: 3, timestamp: 1, base: 'e.1' }] }),
  ],
  [
    'a decision',
    (a, base) =>
      send('POST', '/api/conflicts/2/resolve', { bearer: a.session, body: { choice: 'loser', base } }),
  ],
]

test.each(READS)(
  '[SP3] refuses %s that meets the erasure of its space, and returns nothing of it',
  async (_, ask) => {
    const { body: config } = await send('GET', '/api/config', { bearer: env.ADMIN_TOKEN })
    const wanted = { revision: config.revision, policies: { x: 'manual' } }
    await send('PUT', '/api/config', { bearer: env.ADMIN_TOKEN, body: wanted })
    const space = crypto.randomUUID()
    const { token } = await mint({ space, scopes: SCOPES })
    const a = await device({ token, clientId: 'a' })
    const first = await a.sync({ changes: [{ key: 'x/1', value: 'canary', timestamp: 1, base: null }] })
    const b = await device({ token, clientId: 'b' })
    await b.sync({ changes: [{ key: 'x/1', value: 'canary-2', timestamp: 1, base: 'e.1' }] })
    // The object that wakes opens what it reads.
    await evictDurableObject(env.CHRONICLE.getByName(space))
    let erased = 0
    whileReading(async () => {
      erased = (await erase(a.session, { confirm: space })).status
    })
    const reply = await ask(a, first.body.results[0].version)
    expect(erased).toBe(200)
    expect(reply.body).toMatchObject({ status: 401, code: 'space-erased' })
    expect(JSON.stringify(reply.body)).not.toContain('canary')
  },
)

test('[SP1] erases a space in the middle of a pass, and after a history was read from the archive', async () => {
  const { space, session, token } = await filledSpace()
  const a = await device({ token, clientId: 'a' })
  const write = (round: number, value: string) =>
    a.sync({ changes: Array.from({ length: 100 }, (_, n) => ({ key: `k/${n}`, value, timestamp: round })) })
  for (let round = 1; round <= 14; round++) await write(round, `${round} ${'x'.repeat(1200)}`)
  const stub = env.CHRONICLE.getByName(space)
  await runInDurableObject(stub, (_, { storage }) => storage.setAlarm(Date.now() + 60_000))
  expect(await runDurableObjectAlarm(stub)).toBe(true)
  expect((await a.get('/api/history?key=k/7&limit=3')).body.versions).toHaveLength(3)
  expect((await erase(session, { confirm: space })).status).toBe(200)
  const left = await runInDurableObject(stub, (_, { storage }) =>
    ['segment', 'archive', 'head', 'client'].map(
      (table) => storage.sql.exec(`SELECT * FROM ${table}`).toArray().length,
    ),
  )
  expect(left).toEqual([0, 0, 0, 0])
})

test('[SP1] writes nothing of a pass into a space that was erased while the pass read it, unreadable chunks included', async () => {
  const { space } = await filledSpace()
  // A pass rewrites nothing of an unreadable chunk, and so does not check the epoch before a transaction of its own.
  await damageChunks(space, () => true)
  await runInDurableObject(env.CHRONICLE.getByName(space), async (_, state) => {
    await state.storage.deleteAlarm()
    const opened = openSpace(state, env)
    const passes = opened.store.passes()
    opened.store.putPasses({
      ...passes,
      now: { after: 0, to: opened.state.seq, generation: 1, unreadable: 0 },
    })
    const now = Date.now()
    await whileOpening(opened, () => eraseSpace(state.storage, opened, { epoch: 'another', now, space: 'a' }))
    await upkeep(opened, now)
    expect(opened.state.epoch).toBe('another')
    expect(opened.store.passes()).toEqual(passes)
  })
})
