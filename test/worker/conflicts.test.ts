import { env } from 'cloudflare:workers'
import { beforeAll, expect, test } from 'vitest'
import type { Space } from '../../worker/src/objects/space/space.ts'
import { resolveConflict } from '../../worker/src/objects/write/resolve.ts'
import { beforeOpening } from '../support/unkind-opening.ts'
import { within } from './ageing.ts'
import { type Device, device, mint, newSpace, type Reply, send } from './client.ts'
import { sessionOf } from './session.ts'

const T = Date.now() - 60_000

const ANYONE = sessionOf({ client: 'c', scopes: ['sync:read', 'sync:write'] })

beforeAll(async () => {
  const { body } = await send('GET', '/api/config', { bearer: env.ADMIN_TOKEN })
  const wanted = { revision: body.revision, policies: { x: 'manual', m: 'merge' } }
  expect((await send('PUT', '/api/config', { bearer: env.ADMIN_TOKEN, body: wanted })).status).toBe(200)
})

function resolve(by: Device, id: number | string, body: object): Promise<Reply> {
  return send('POST', `/api/conflicts/${id}/resolve`, { bearer: by.session, body })
}

/** Two devices of a space and an open conflict: `mine` stands, `yours` is kept beside it. */
async function openConflict(yours: object = { value: 'yours' }, mine: object = { value: 'mine' }) {
  const space = crypto.randomUUID()
  const { token } = await mint({ space })
  const [a, b] = [await device({ token, clientId: 'a' }), await device({ token, clientId: 'b' })]
  const change = { key: 'x/1', ...mine, timestamp: T, base: null }
  const { version } = (await a.sync({ changes: [change] })).body.results[0]
  const late = await b.sync({ changes: [{ key: 'x/1', ...yours, timestamp: T, base: 'other.1' }] })
  return { space, a, b, version, id: late.body.conflicts[0].id }
}

async function standing(reader: Device): Promise<Reply> {
  return reader.get('/api/entries?key=x/1')
}

test('[CF1] conflicts are listed by ascending id, page by page, by key, and those that are open', async () => {
  const [a, b] = [await device(), await device()]
  const keys = ['x/1', 'n/1', 'x/2', 'n/2']
  await a.sync({ changes: keys.map((key) => ({ key, value: 1, timestamp: T, base: null })) })
  await a.sync({ changes: keys.map((key) => ({ key, value: 2, timestamp: T + 1, base: 'other.1' })) })
  const list = async (query: string) => (await a.get(`/api/conflicts${query}`)).body
  const keysOf = ({ conflicts }: { conflicts: { key: string }[] }) => conflicts.map(({ key }) => key)
  const all = await list('')
  expect(keysOf(all)).toEqual(keys)
  expect(all.next).toBeNull()
  const first = await list('?limit=3')
  expect(keysOf(first)).toEqual(keys.slice(0, 3))
  expect(keysOf(await list(`?limit=3&after=${first.next}`))).toEqual(keys.slice(3))
  expect(keysOf(await list('?key=n/2'))).toEqual(['n/2'])
  expect(keysOf(await list('?open=1'))).toEqual(['x/1', 'x/2'])
  expect((await a.get('/api/conflicts?open=0')).status).toBe(422)
  expect((await b.get('/api/conflicts')).body).toEqual({ conflicts: [], next: null })
})

test('[CF9] a page ends once it has read 4 MiB of the log, whatever it shows; following it misses nothing', async () => {
  const { a, b } = await openConflict()
  for (let count = 0; count < 10; count++) {
    const changes = [0, 1, 2].map((n) => {
      return { key: 'x/1', value: `${count}.${n}`.padEnd(250_000, 'y'), timestamp: T, base: 'e.1' }
    })
    await b.sync({ changes })
  }
  await b.sync({ changes: [{ key: 'x/2', value: 1, timestamp: T, base: null }] })
  await a.sync({ changes: [{ key: 'x/2', value: 2, timestamp: T, base: 'e.1' }] })
  const pages: number[] = []
  let opened = 0
  beforeOpening((bytes) => {
    opened += bytes.byteLength
  })
  for (let after: number | null = 0; after !== null; ) {
    opened = 0
    const { body }: Reply = await a.get(`/api/conflicts?key=x/2&limit=500&after=${after}`)
    expect(opened).toBeLessThan(6 * 1024 * 1024)
    pages.push(body.conflicts.length)
    after = body.next
  }
  expect(pages.length).toBeGreaterThan(2)
  expect(pages).toEqual([...Array(pages.length - 1).fill(0), 1])
})

test('[CF4] the loser is made to stand by an ordinary write, which closes the conflict', async () => {
  const { a, b, version, id } = await openConflict()
  const { cursor } = (await b.sync({ changes: [], cursor: null })).body
  const reply = await resolve(a, id, { choice: 'loser', base: version })
  expect(reply.body).toMatchObject({ success: true, id, key: 'x/1', replayed: false })
  expect((await standing(a)).body).toMatchObject({ value: 'yours', version: reply.body.version, by: 'a' })
  expect((await b.sync({ changes: [], cursor })).body.changes).toMatchObject([{ value: 'yours' }])
  expect((await a.get('/api/conflicts?open=1')).body.conflicts).toEqual([])
  const settled = (await a.get('/api/conflicts')).body.conflicts
  expect(settled).toMatchObject([{ id, resolution: 'resolved', resolvedBy: reply.body.version }])
})

test('[CF4] the winner stands already: nothing is written; another value is', async () => {
  const one = await openConflict()
  const kept = await resolve(one.a, one.id, { choice: 'winner', base: one.version })
  expect(kept.body.version).toBe(one.version)
  expect((await one.a.get('/api/conflicts')).body.conflicts).toMatchObject([{ resolvedBy: one.version }])
  const two = await openConflict()
  await resolve(two.b, two.id, { choice: 'value', value: { both: true }, base: two.version })
  expect((await standing(two.a)).body).toMatchObject({ value: { both: true }, by: 'b' })
})

test('[CF4] content that stands already is not written again, whichever version it came with', async () => {
  const sides = { winner: { value: { n: 1, m: 1 } }, loser: { value: { m: 2, n: 1 } } }
  for (const choice of ['winner', 'loser', 'value'] as const) {
    const { a, b, version, id } = await openConflict(sides.loser, sides.winner)
    const content = choice === 'value' ? { value: { m: 3, n: 1 } } : sides[choice]
    const turned = { value: Object.fromEntries(Object.entries(content.value).reverse()) }
    const other = (await a.sync({ changes: [{ key: 'x/1', value: 0, timestamp: T, base: version }] })).body
      .results[0]
    const [{ version: stands }] = (
      await a.sync({ changes: [{ key: 'x/1', ...turned, timestamp: T, base: other.version }] })
    ).body.results
    const body = { choice, base: stands, ...(choice === 'value' && content) }
    expect((await resolve(b, id, body)).body).toMatchObject({ version: stands, replayed: false })
    expect((await a.get('/api/status')).body.head).toBe(stands)
    const again = { ...body, base: null }
    expect((await resolve(a, id, again)).body).toMatchObject({ version: stands, replayed: true })
  }
})

test('[CF4] a deletion that stands already is not written again', async () => {
  const { a, b, version, id } = await openConflict({ deleted: true, value: 'last' })
  const gone = await a.sync({ changes: [{ key: 'x/1', deleted: true, timestamp: T, base: version }] })
  const [{ version: stands }] = gone.body.results
  expect((await resolve(b, id, { choice: 'loser', base: stands })).body.version).toBe(stands)
  expect((await a.get('/api/status')).body.head).toBe(stands)
})

test('[CF4] a deletion that was kept can be chosen too', async () => {
  const { a, version, id } = await openConflict({ deleted: true })
  expect((await resolve(a, id, { choice: 'loser', base: version })).status).toBe(200)
  expect((await standing(a)).status).toBe(404)
})

test('[CF4] a key that is gone comes back, or stays gone', async () => {
  for (const choice of ['loser', 'winner']) {
    const b = await device()
    const late = await b.sync({ changes: [{ key: 'x/1', value: 'late', timestamp: T, base: 'other.1' }] })
    const [{ id, winner }] = late.body.conflicts
    expect(winner).toEqual({ deleted: true })
    expect((await resolve(b, id, { choice, base: null })).status).toBe(200)
    expect((await standing(b)).status).toBe(choice === 'loser' ? 200 : 404)
  }
})

test('[CF5] what has changed since is not overwritten: 409 stale-base with the version that stands', async () => {
  const { a, version, id } = await openConflict()
  const moved = await a.sync({ changes: [{ key: 'x/1', value: 'moved', timestamp: T, base: version }] })
  const stands = moved.body.results[0].version
  const reply = await resolve(a, id, { choice: 'loser', base: version })
  expect(reply).toMatchObject({ status: 409, body: { code: 'stale-base', version: stands } })
  expect((await standing(a)).body.value).toBe('moved')
  expect((await a.get('/api/conflicts?open=1')).body.conflicts).toHaveLength(1)
  expect((await resolve(a, id, { choice: 'loser', base: stands })).status).toBe(200)
})

test('[CF6] a decision that comes again is answered again; another one is 409 already-resolved', async () => {
  const { a, b, version, id } = await openConflict()
  const first = await resolve(a, id, { choice: 'loser', base: version })
  const again = await resolve(a, id, { choice: 'loser', base: version })
  expect(again.body).toEqual({ ...first.body, replayed: true })
  expect((await resolve(b, id, { choice: 'winner', base: version })).body.code).toBe('already-resolved')
  expect((await a.get('/api/status')).body.head).toBe(first.body.version)
  const blind = await b.sync({ changes: [{ key: 'l/1', value: 1, timestamp: T }] })
  expect(blind.body.success).toBe(true)
  await a.sync({ changes: [{ key: 'l/1', value: 2, timestamp: T + 1 }] })
  const settled = (await a.get('/api/conflicts?key=l/1')).body.conflicts[0]
  expect((await resolve(a, settled.id, { choice: 'loser', base: null })).body.code).toBe('already-resolved')
})

test('[CF6] the same decision is one for the same content, whoever asks and whatever it is based on', async () => {
  const { a, b, version, id } = await openConflict({ value: { n: 1, m: 1 } })
  const first = await resolve(a, id, { choice: 'loser', base: version })
  for (const [by, body] of [
    [b, { choice: 'value', value: { m: 1, n: 1 }, base: version }],
    [b, { choice: 'loser', base: null }],
    [a, { choice: 'loser', base: first.body.version }],
  ] as const)
    expect((await resolve(by, id, body)).body).toEqual({ ...first.body, replayed: true })
  for (const body of [{ choice: 'winner' }, { choice: 'value', value: { n: 1 } }])
    expect((await resolve(a, id, { ...body, base: version })).body.code).toBe('already-resolved')
})

test('[CF6] one that settled itself is not decided, even if the same stands', async () => {
  const a = await device()
  await a.sync({ changes: [{ key: 'l/1', value: 1, timestamp: T + 1, base: null }] })
  const late = await a.sync({ changes: [{ key: 'l/1', deleted: true, timestamp: T, base: 'other.1' }] })
  const [{ id, resolution }] = late.body.conflicts
  expect(resolution).toBe('kept-server')
  expect((await resolve(a, id, { choice: 'loser', base: null })).body.code).toBe('already-resolved')
})

test('[CF6] of a decision that writes and one that does not, at the same time, one counts', async () => {
  const { space, a, version, id } = await openConflict()
  const session = { ...ANYONE, space, issuedAt: Date.now() }
  const decide = (open: Space, choice: 'winner' | 'loser') =>
    resolveConflict(open, session, { id, request: { choice, base: version }, now: Date.now() })
  const results = await within(space, (open) => Promise.all([decide(open, 'winner'), decide(open, 'loser')]))
  expect(results.map((result) => (result.ok ? 'ok' : result.fault.code)).sort()).toEqual([
    'already-resolved',
    'ok',
  ])
  expect((await standing(a)).body.value).toBe(results[0].ok ? 'mine' : 'yours')
})

test('[CF6] of decisions at the same time one counts', async () => {
  const { a, b, version, id } = await openConflict()
  const replies = await Promise.all([
    resolve(a, id, { choice: 'value', value: 1, base: version }),
    resolve(b, id, { choice: 'value', value: 2, base: version }),
    resolve(a, id, { choice: 'value', value: 1, base: version }),
  ])
  const winner = replies[0].status === 200 ? 1 : 2
  expect((await standing(a)).body.value).toBe(winner)
  expect(replies.map(({ status }) => status).sort()).toEqual(winner === 1 ? [200, 200, 409] : [200, 409, 409])
})

test('[CF7] only who may write the key decides; to others the conflict is not there', async () => {
  const { space, version, id } = await openConflict()
  const body = { choice: 'loser', base: version }
  const reader = await device(await mint({ space, scopes: ['sync:read'] }))
  expect((await resolve(reader, id, body)).body.code).toBe('forbidden-scope')
  const other = await device(await mint({ space, collections: ['y'] }))
  expect((await resolve(other, id, body)).status).toBe(404)
  expect((await other.get('/api/conflicts')).body.conflicts).toEqual([])
  const stranger = await device()
  expect((await resolve(stranger, id, body)).status).toBe(404)
})

test.each([
  ['99999', { choice: 'loser', base: null }, 404],
  ['abc', { choice: 'loser', base: null }, 404],
  ['1', { choice: 'both', base: null }, 422],
  ['1', { choice: 'loser' }, 422],
  ['1', { choice: 'value', base: null }, 422],
  ['1', { choice: 'loser', value: 1, base: null }, 422],
])('[CF8] a decision that makes no sense is refused: %s %j', async (id, body, status) => {
  const { a } = await openConflict()
  expect((await resolve(a, id, body)).status).toBe(status)
})

test('[CF8] so is a value that is too large', async () => {
  const { a, version, id } = await openConflict()
  const reply = await resolve(a, id, { choice: 'value', value: 'x'.repeat(256 * 1024), base: version })
  expect(reply).toMatchObject({ status: 422, body: { detail: 'value: value-too-large.' } })
})

test('[ER3] a decision that nests too deep is refused before it is sent to the space', async () => {
  const { a, version, id } = await openConflict()
  for (const depth of [129, 133, 200, 5_000, 200_000]) {
    const value = `${'['.repeat(depth)}${']'.repeat(depth)}`
    const text = `{"choice":"value","base":${JSON.stringify(version)},"value":${value}}`
    const reply = await send('POST', `/api/conflicts/${id}/resolve`, { text, bearer: a.session })
    expect(reply, `${depth}`).toMatchObject({ status: 400, body: { code: 'too-deep' } })
  }
  const value = JSON.parse(`${'['.repeat(128)}${']'.repeat(128)}`)
  expect((await resolve(a, id, { choice: 'value', value, base: version })).status).toBe(200)
})

test('[BA6] the retry of a merge that lost a field is told its conflict again', async () => {
  const { b, base, write } = await meeting()
  const edit = { value: { x: 2, y: 2 }, base, timestamp: T + 1 }
  const body = await write(b, edit)
  expect(body).toMatchObject({ results: [{ status: 'merged' }], conflicts: [{ paths: ['/x'] }] })
  const again = await write(b, edit)
  expect({ ...again, serverTime: 0 }).toEqual({ ...body, serverTime: 0 })
})

/** A space in which the first of two devices has changed `x` at T + 5, and the second knows the version before. */
async function meeting() {
  const { a, b } = await newSpace()
  const write = async (by: Device, change: object) =>
    (await by.sync({ changes: [{ key: 'm/1', timestamp: T, ...change }] })).body
  const base = (await write(a, { value: { x: 0, y: 0 }, base: null })).results[0].version
  await write(a, { value: { x: 1, y: 0 }, base, timestamp: T + 5 })
  return { a, b, base, write }
}

test('[PO6] a deletion meets the other client in a merge of its own, in the next batch as in the same', async () => {
  for (const [timestamp, status] of [
    [T + 9, 'applied'],
    [T + 5, 'applied'],
    [T + 4, 'superseded'],
  ] as const) {
    const { b, base, write } = await meeting()
    const edit = { value: { x: 0, y: 1 }, base, timestamp: T + 9 }
    const [{ version }] = (await write(b, edit)).results
    const deleted = await write(b, { deleted: true, base, timestamp })
    expect(deleted.results, `${timestamp - T}`).toMatchObject([{ status }])
    const [conflict] = deleted.conflicts
    expect(conflict[status === 'applied' ? 'loser' : 'winner']).toMatchObject({
      version,
      value: { x: 1, y: 1 },
    })
  }
})

test('[PO4] only the conflict of a merge names pointers, whatever its sides were made of', async () => {
  const { b, base, write } = await meeting()
  const clashed = await write(b, { value: { x: 9, y: 1 }, base, timestamp: T + 4 })
  expect(clashed.conflicts).toMatchObject([{ policy: 'merge', paths: ['/x'] }])
  const blind = await write(b, { value: 7, timestamp: T + 7 })
  expect(blind.conflicts).toMatchObject([{ policy: 'lww', paths: [], loser: { value: { x: 1, y: 1 } } }])
})
