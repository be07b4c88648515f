import { evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { beforeAll, expect, test } from 'vitest'
import { DAY_MS } from '../../../worker/src/core/values/limits.ts'
import { readPage } from '../../../worker/src/objects/read/feed.ts'
import { settlePending } from '../../../worker/src/objects/space/draft.ts'
import { openSpace, type Space } from '../../../worker/src/objects/space/space.ts'
import { eraseSpace } from '../../../worker/src/objects/transfer/erase.ts'
import { importSpace } from '../../../worker/src/objects/transfer/import.ts'
import { dropAged } from '../../../worker/src/objects/upkeep/drop-aged.ts'
import { push } from '../../../worker/src/objects/write/sync.ts'
import { whileOpening } from '../../support/worker/ageing.ts'
import { call, type Device, device, mint, send } from '../../support/worker/client.ts'
import { exportOf } from '../../support/worker/imports.ts'
import { sessionOf } from '../../support/worker/session.ts'

/** Of a time at which no erasure ends it. */
const session = sessionOf({
  scopes: ['sync:read', 'sync:write', 'space:admin'],
  issuedAt: Date.now() + DAY_MS,
  expiresAt: Date.now() / 1000 + 600,
})

beforeAll(async () => {
  const { body } = await send('GET', '/api/config', { bearer: env.ADMIN_TOKEN })
  const wanted = { revision: body.revision, policies: { x: 'manual' } }
  expect((await send('PUT', '/api/config', { bearer: env.ADMIN_TOKEN, body: wanted })).status).toBe(200)
})

/** Makes an open conflict, and lets a reader find out which versions of the log are current. */
async function readConflict(yours: object): Promise<{ a: Device; id: number; base: string }> {
  const space = crypto.randomUUID()
  const { token } = await mint({ space, scopes: ['sync:read', 'sync:write', 'space:admin'] })
  const [a, b] = [await device({ token, clientId: 'a' }), await device({ token, clientId: 'b' })]
  const mine = { key: 'x/1', value: 'mine', timestamp: 1, base: null }
  const { version } = (await a.sync({ changes: [mine] })).body.results[0]
  const late = await b.sync({ changes: [{ key: 'x/1', ...yours, timestamp: 1, base: 'other.1' }] })
  await evictDurableObject(env.CHRONICLE.getByName(space))
  expect((await a.get('/api/changes')).body.changes).toMatchObject([{ value: 'mine' }])
  return { a, id: late.body.conflicts[0].id, base: version }
}

function within(work: (space: Space, storage: DurableObjectStorage) => Promise<void>): Promise<void> {
  return runInDurableObject(env.CHRONICLE.getByName(crypto.randomUUID()), (_, ctx) =>
    work(openSpace(ctx, env), ctx.storage),
  )
}

async function write(space: Space, ...changes: object[]): Promise<void> {
  const text = { changes: changes.map((change, index) => ({ timestamp: index + 1, ...change })) }
  expect(await push(space, session, { request: text as never, now: Date.now() })).toMatchObject({ ok: true })
}

/** The keys of the first page of the log. */
async function keysIn(space: Space): Promise<readonly string[]> {
  space.recent.forget()
  const query = { after: 0, limit: 500, filter: null, echo: null, deletionsAfter: 0 }
  return (await readPage(space, query)).entries.map((text) => JSON.parse(text).key)
}

test('[CF4] shows no version that a decision has replaced', async () => {
  const { a, id, base } = await readConflict({ value: 'yours' })
  const body = { choice: 'value', value: 'chosen', base }
  const decided = await send('POST', `/api/conflicts/${id}/resolve`, { bearer: a.session, body })
  expect(decided.status).toBe(200)
  const { changes } = (await a.get('/api/changes?limit=1')).body
  expect(changes).toMatchObject([{ key: 'x/1', value: 'chosen' }])
})

test('[EX1] exports no value that a decision has deleted', async () => {
  const { a, id, base } = await readConflict({ deleted: true })
  const body = { choice: 'loser', base }
  const decided = await send('POST', `/api/conflicts/${id}/resolve`, { bearer: a.session, body })
  expect(decided.status).toBe(200)
  const exported = await call('/api/export', { headers: { authorization: `Bearer ${a.session}` } })
  expect(await exported.text()).not.toContain('mine')
})

test('[LC3] takes no dropped tombstone for a current version', () =>
  within(async (space) => {
    await write(space, { key: 'k/1', value: 1 }, { key: 'k/1', deleted: true })
    await keysIn(space)
    expect(space.known.isCurrent(2)).toBe(true)
    settlePending(space)
    dropAged(space, Date.now() + 400 * DAY_MS)
    expect(space.known.isCurrent(2)).toBe(false)
  }))

test('[SP1] knows nothing of the first versions after an erasure by a page that was read meanwhile', () =>
  within(async (space, storage) => {
    await write(space, { key: 'k/1', value: 1 })
    await whileOpening(space, () =>
      eraseSpace(storage, space, { epoch: 'next', now: Date.now(), space: 'any' }),
    )
    expect(await keysIn(space)).toEqual([])
    await write(space, { key: 'k/2', value: 1 })
    expect(await keysIn(space)).toEqual(['k/2'])
  }))

test('[IM4] takes no version for current that a later part of an import has replaced', () =>
  within(async (space) => {
    const lines = exportOf([
      { key: 'k/1', value: 1 },
      { key: 'k/1', value: 2 },
    ]).split(/(?<=\n)/)
    const upload = (from: number, to: number) => {
      const body = new Response(lines.slice(from, to).join('')).body as ReadableStream<Uint8Array>
      return importSpace(space, session, { body, line: from + 1, now: Date.now(), clock: Date.now })
    }
    await upload(0, 2)
    expect(await keysIn(space)).toEqual(['k/1'])
    expect(space.known.isCurrent(1)).toBe(true)
    await upload(2, lines.length)
    expect(await keysIn(space)).toEqual(['k/1'])
    expect(space.known.isCurrent(1)).toBe(false)
  }))

test('[SG5] finds an entry row that was changed after its version was read from memory', () =>
  within(async (space, storage) => {
    await write(space, { key: 'k/1', value: 1 })
    await readPage(space, { after: 0, limit: 1, filter: null, echo: null, deletionsAfter: 0 })
    settlePending(space)
    storage.sql.exec('UPDATE head SET at = at + 1')
    space.store.forgetEntries()
    await expect(keysIn(space)).rejects.toThrow('does not match')
  }))
