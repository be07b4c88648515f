import { env } from 'cloudflare:workers'
import { beforeAll, expect, test } from 'vitest'
import { sync } from '../../worker/src/objects/write/sync.ts'
import { within } from './ageing.ts'
import { type Device, device, mint, type Reply, send, twoDevices } from './client.ts'
import { sessionOf } from './session.ts'

const T = Date.now() - 60_000

const ANYONE = sessionOf({ client: '', scopes: ['sync:read', 'sync:write'] })

/** The collections are named after their policies. */
const POLICIES = { s: 'server-wins', c: 'client-wins', m: 'merge', x: 'manual', l: 'lww' }

beforeAll(async () => {
  const { body } = await send('GET', '/api/config', { bearer: env.ADMIN_TOKEN })
  const wanted = { revision: body.revision, policies: POLICIES }
  expect((await send('PUT', '/api/config', { bearer: env.ADMIN_TOKEN, body: wanted })).status).toBe(200)
})

/** Writes of one key, one after the other. */
async function write(by: Device, change: object): Promise<Reply['body']> {
  return (await by.sync({ changes: [{ timestamp: T, ...change }] })).body
}

/** Two devices that know the same version of a key, which the first has then changed. */
async function diverged(key: string, [before, after]: readonly [unknown, unknown]) {
  const [a, b] = await twoDevices()
  const base = (await write(a, { key, value: before, base: null })).results[0].version
  const version = (await write(a, { key, value: after, base, timestamp: T + 5 })).results[0].version
  return { a, b, base, version }
}

async function standingValue(reader: Device, key: string): Promise<unknown> {
  return (await reader.get(`/api/entries?key=${encodeURIComponent(key)}`)).body.value
}

test('[PO1] server-wins: a concurrent write loses whatever its clock says, and is kept', async () => {
  const { a, b, base, version } = await diverged('s/1', [1, 2])
  const { results, conflicts } = await write(b, { key: 's/1', value: 3, base, timestamp: T + 99 })
  expect(results).toMatchObject([{ status: 'superseded', version }])
  expect(conflicts).toMatchObject([{ policy: 'server-wins', resolution: 'kept-server', loser: { value: 3 } }])
  expect(await standingValue(a, 's/1')).toBe(2)
})

test('[PO2] client-wins: a concurrent write is applied whatever its clock says, what it replaces is kept', async () => {
  const { a, b, base } = await diverged('c/1', [1, 2])
  const { results, conflicts } = await write(b, { key: 'c/1', value: 3, base, timestamp: T - 99 })
  expect(results).toMatchObject([{ status: 'applied' }])
  expect(conflicts).toMatchObject([{ policy: 'client-wins', resolution: 'kept-client', loser: { value: 2 } }])
  expect(await standingValue(a, 'c/1')).toBe(3)
})

test('[PO3] merge: fields that one side changed survive from both, with no conflict', async () => {
  const { a, b, base } = await diverged('m/1', [
    { title: 'a', n: 1, gone: 1, in: { x: 1, y: 1 } },
    { title: 'A', n: 1, gone: 1, in: { x: 2, y: 1 } },
  ])
  const merged = { title: 'A', n: 2, in: { x: 2, y: 2 }, new: [1] }
  const sent = { title: 'a', n: 2, in: { x: 1, y: 2 }, new: [1] }
  const reply = await write(b, { key: 'm/1', value: sent, base, timestamp: T - 5 })
  expect(reply).toMatchObject({ success: true, synced: ['m/1'], conflicts: [] })
  expect(reply.results).toMatchObject([{ status: 'merged', value: merged }])
  expect(await standingValue(a, 'm/1')).toEqual(merged)
  const { versions } = (await b.get('/api/history?key=m/1')).body
  expect(versions.map(({ value }: { value: unknown }) => value).slice(0, 2)).toEqual([merged, sent])
})

test('[PO3] the merged value comes with the feed, and the entry shows the version of the result', async () => {
  const { b, base } = await diverged('m/1', [{ n: 1 }, { n: 1, a: 1 }])
  const cursor = (await b.sync({ changes: [], cursor: null })).body.cursor
  const change = { key: 'm/1', value: { n: 1, b: 1 }, base, timestamp: T }
  const { body } = await b.sync({ changes: [change, { key: 'm/2', value: 1, timestamp: T }], cursor })
  const [{ version }] = body.results
  expect(body.changes[0]).toMatchObject({ key: 'm/1', version, value: { n: 1, a: 1, b: 1 } })
  expect((await b.get('/api/entries?key=m/1')).body.version).toBe(version)
})

test('[PO4] merge: the later side takes what both changed; the pointers are named and the loser is kept', async () => {
  const before = { title: 'a', n: 1, 'a/b~c': 1, tags: ['x'] }
  const { b, base } = await diverged('m/1', [before, { ...before, title: 'A', 'a/b~c': 2, tags: ['x', 'A'] }])
  const late = { ...before, title: 'B', 'a/b~c': 3, tags: ['x', 'B'], n: 2 }
  const reply = await write(b, { key: 'm/1', value: late, base, timestamp: T + 9 })
  expect(reply.results).toMatchObject([{ status: 'merged', value: late }])
  expect(reply.conflicts).toMatchObject([
    {
      policy: 'merge',
      resolution: 'merged',
      paths: expect.arrayContaining(['/title', '/a~1b~0c', '/tags']),
      loser: { value: { title: 'A' } },
    },
  ])
})

test('[PO4] merge: an earlier side that loses some of its changes is the loser', async () => {
  const { b, base } = await diverged('m/1', [
    { n: 1, t: 'a' },
    { n: 2, t: 'a' },
  ])
  const sent = { n: 3, t: 'b' }
  const reply = await write(b, { key: 'm/1', value: sent, base, timestamp: T - 1 })
  expect(reply.results).toMatchObject([{ status: 'merged', value: { n: 2, t: 'b' } }])
  expect(reply.conflicts).toMatchObject([
    { resolution: 'merged', paths: ['/n'], winner: { value: { n: 2, t: 'b' } }, loser: { value: sent } },
  ])
  expect((await b.get('/api/conflicts')).body.conflicts).toEqual(reply.conflicts)
})

test('[PO4] merge: of a hundred clashes under a name of 200 kB only the whole is named, and the batch is in', async () => {
  const wide = (value: number) => ({
    ['n'.repeat(200_000)]: Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`${n}`, value])),
  })
  const { b, base } = await diverged('m/1', [wide(0), wide(1)])
  for (const [batch, timestamp, outcome] of [
    [1, T - 9, 'superseded'],
    [2, T + 9, 'merged'],
  ] as const) {
    const sent = { batch, changes: [{ key: 'm/1', value: wide(2), base, timestamp }] }
    const { body } = await b.sync(sent)
    expect(body.results).toMatchObject([{ status: outcome }])
    expect(body.conflicts).toMatchObject([{ paths: [''] }])
    expect((await b.sync(sent)).body).toMatchObject({ replayed: true, conflicts: [{ paths: [''] }] })
  }
})

test('[PO4] merge: a side that loses all of its changes is superseded, with the pointers', async () => {
  const { b, base, version } = await diverged('m/1', [{ n: 1 }, { n: 2 }])
  const reply = await write(b, { key: 'm/1', value: { n: 3 }, base, timestamp: T - 1 })
  expect(reply.results).toMatchObject([{ status: 'superseded', version }])
  expect(reply.conflicts).toMatchObject([
    { resolution: 'kept-server', paths: ['/n'], loser: { value: { n: 3 } } },
  ])
})

test.each([
  ['a deletion', { deleted: true }, { n: 2 }],
  ['a value without fields', { value: [1] }, { n: 2 }],
])('[PO5] merge: %s is settled as last write wins', async (_, content, after) => {
  const { b, base } = await diverged('m/1', [{ n: 1 }, after])
  const reply = await write(b, { key: 'm/1', ...content, base, timestamp: T + 9 })
  expect(reply.results).toMatchObject([{ status: 'applied' }])
  expect(reply.conflicts).toMatchObject([
    { policy: 'lww', resolution: 'kept-client', loser: { value: after } },
  ])
})

test('[PO5] merge: so is a base that nobody knows', async () => {
  const { b } = await diverged('m/1', [{ n: 1 }, { n: 2 }])
  const reply = await write(b, { key: 'm/1', value: { m: 1 }, base: 'other.3', timestamp: T + 9 })
  expect(reply.conflicts).toMatchObject([{ policy: 'lww', loser: { value: { n: 2 } } }])
})

test("[PO5] merge: and another key's version", async () => {
  const { a, b } = await diverged('m/1', [{ n: 1 }, { n: 2 }])
  const other = (await write(a, { key: 'm/2', value: { n: 1, secret: 1 } })).results[0].version
  const reply = await write(b, { key: 'm/1', value: { n: 1 }, base: other, timestamp: T + 9 })
  expect(reply.results).toMatchObject([{ status: 'applied' }])
  expect(reply.conflicts).toMatchObject([{ policy: 'lww' }])
})

test('[PO5] merge: so is what would grow too large together', async () => {
  const [big, other] = ['a'.repeat(200_000), 'b'.repeat(200_000)]
  const { b, base } = await diverged('m/1', [{}, { big }])
  const reply = await write(b, { key: 'm/1', value: { other }, base, timestamp: T + 9 })
  expect(reply.results).toMatchObject([{ status: 'applied' }])
  expect(reply.conflicts).toMatchObject([{ policy: 'lww', loser: { value: { big } } }])
})

test('[CL1] the time of a merge is the later of both, whatever the clock of the client says', async () => {
  const { a, b, base } = await diverged('m/1', [{ n: 1 }, { n: 2 }])
  const hour = 3_600_000
  const change = { key: 'm/1', value: { n: 1, m: 1 }, base, timestamp: T - 9 + hour }
  const { body } = await b.sync({ changes: [change], clientTime: Date.now() + hour })
  expect(body.results).toMatchObject([{ status: 'merged' }])
  expect((await a.get('/api/entries?key=m/1')).body).toMatchObject({
    timestamp: T + 5,
    value: { n: 2, m: 1 },
  })
})

test('[PO5] merge: two creations of one key are merged by field', async () => {
  const [a, b] = await twoDevices()
  await write(a, { key: 'm/1', value: { a: 1, both: 'a' }, base: null })
  const reply = await write(b, { key: 'm/1', value: { b: 1, both: 'b' }, base: null, timestamp: T + 1 })
  expect(reply.results[0]).toMatchObject({ status: 'merged', value: { a: 1, b: 1, both: 'b' } })
})

test('[PO6] further edits of a client that has not heard of the merge are merged onto it in turn', async () => {
  const { b, base } = await diverged('m/1', [
    { a: 1, b: 1 },
    { a: 2, b: 1 },
  ])
  await write(b, { key: 'm/1', value: { a: 1, b: 2 }, base })
  const second = await write(b, { key: 'm/1', value: { a: 1, b: 3 }, base, timestamp: T + 1 })
  expect(second).toMatchObject({ conflicts: [], results: [{ status: 'merged', value: { a: 2, b: 3 } }] })
  const { body } = await b.sync({
    changes: [
      { key: 'm/1', value: { a: 1, b: 4 }, base, timestamp: T + 2 },
      { key: 'm/1', value: { a: 1, b: 5 }, base, timestamp: T + 3 },
    ],
  })
  expect(body).toMatchObject({ conflicts: [], results: [{}, { value: { a: 2, b: 5 } }] })
})

test('[PO6] merges of one batch take their places between its other changes', async () => {
  const { a, b, base } = await diverged('m/1', [{ n: 1 }, { n: 1, a: 1 }])
  const changes = [
    { key: 'k/1', value: 1, timestamp: T, base: null },
    { key: 'm/1', value: { n: 1, b: 1 }, timestamp: T, base },
    { key: 'k/2', value: 2, timestamp: T, base: null },
    { key: '/bad', value: 0, timestamp: T },
    { key: 'k/3', value: 3, timestamp: T, base: null },
  ]
  const reply = (await b.sync({ batch: 1, changes })).body
  expect((await b.sync({ batch: 1, changes })).body).toMatchObject({ replayed: true, results: reply.results })
  const feed = (await a.sync({ changes: [], cursor: null })).body.changes
  expect(feed.map(({ key }: { key: string }) => key)).toEqual(['k/1', 'm/1', 'k/2', 'k/3'])
  expect(feed[1]).toMatchObject({ value: { n: 1, a: 1, b: 1 } })
  expect(await standingValue(a, 'k/3')).toBe(3)
})

test('[PO6] a merge that is overtaken while it is sealed stores what was sent, and that only', async () => {
  const space = crypto.randomUUID()
  const a = await device({ ...(await mint({ space, subject: ANYONE.subject })), clientId: 'a' })
  const base = (await write(a, { key: 'm/1', value: { n: 1 }, base: null })).results[0].version
  const stands = (await write(a, { key: 'm/1', value: { n: 2 }, base })).results[0].version
  await within(space, async (open) => {
    const push = (client: string, changes: object[]) => {
      const session = { ...ANYONE, space, client, issuedAt: Date.now() }
      return sync(open, session, { text: JSON.stringify({ changes }), now: Date.now() })
    }
    const keys = await open.keys()
    let seals = 0
    const seal: typeof keys.seal = async (...content) => {
      seals += 1
      // The second is that of the merge: it takes as long as another request.
      if (seals === 2) await push('a', [{ key: 'm/1', deleted: true, timestamp: T, base: stands }])
      return keys.seal(...content)
    }
    Object.assign(open, { keys: async () => ({ ...keys, seal }) })
    const merging = await push('b', [
      { key: 'k/1', value: 1, timestamp: T, base: null },
      { key: '/bad', value: 0, timestamp: T },
      { key: 'm/1', value: { n: 1, m: 1 }, timestamp: T - 9, base },
      { key: 'k/2', value: 2, timestamp: T, base: null },
    ])
    expect(merging.ok && JSON.parse(merging.value.text).results).toMatchObject([
      { status: 'applied' },
      { status: 'rejected' },
      { status: 'superseded' },
      { status: 'applied' },
    ])
  })
  const { changes } = (await a.get('/api/changes')).body
  expect(changes).toMatchObject([
    { key: 'm/1', deleted: true },
    { key: 'k/1', value: 1 },
    { key: 'k/2', value: 2 },
  ])
  expect((await a.get('/api/conflicts')).body.conflicts).toMatchObject([{ loser: { value: { n: 1, m: 1 } } }])
})

test('[PO8] a blind write over a merge competes with the fields of others in it', async () => {
  const { b, base } = await diverged('m/1', [{ n: 1 }, { n: 1, a: 1 }])
  await write(b, { key: 'm/1', value: { n: 1, b: 1 }, base, timestamp: T + 6 })
  const reply = await write(b, { key: 'm/1', value: { blind: 1 }, timestamp: T + 9 })
  expect(reply.conflicts).toMatchObject([{ policy: 'lww', loser: { value: { n: 1, a: 1, b: 1 } } }])
})

test('[PO7] manual: what stands stays, the other is kept beside it, until somebody decides', async () => {
  const { a, b, base, version } = await diverged('x/1', [1, 2])
  const reply = await write(b, { key: 'x/1', value: 3, base, timestamp: T + 99 })
  expect(reply).toMatchObject({ success: true, synced: [], results: [{ status: 'conflict', version }] })
  expect(reply.conflicts).toMatchObject([{ resolution: 'open', winner: { value: 2 }, loser: { value: 3 } }])
  await write(b, { key: 'x/1', value: 4, base, timestamp: T + 100 })
  await write(a, { key: 'x/1', value: 5, base: version })
  expect(await standingValue(a, 'x/1')).toBe(5)
  expect((await a.get('/api/conflicts?open=1')).body.conflicts).toHaveLength(2)
  expect((await a.get('/api/status')).body.openConflicts).toBe(2)
})

test('[PO8] a blind write is settled by the clock under every policy', async () => {
  for (const collection of Object.keys(POLICIES)) {
    const [a, b] = await twoDevices()
    const key = `${collection}/1`
    await write(a, { key, value: { n: 1 } })
    const reply = await write(b, { key, value: { m: 1 }, timestamp: T + 1 })
    expect(reply.results).toMatchObject([{ status: 'applied' }])
    expect(reply.conflicts).toMatchObject([{ policy: 'lww', loser: { value: { n: 1 } } }])
  }
})

test('[PO9] a write to a key that is gone, on a base that is forgotten, is the policy’s to settle', async () => {
  const expected = { s: 'superseded', c: 'applied', m: 'applied', x: 'conflict', l: 'applied' }
  for (const [collection, status] of Object.entries(expected)) {
    const a = await device()
    const reply = await write(a, { key: `${collection}/1`, value: { n: 1 }, base: 'other.7' })
    expect(reply.results).toMatchObject([{ status }])
    expect(reply.conflicts).toHaveLength(1)
  }
})

test('[BV1] a client that keeps no versions names the value it saw: on base if it stands', async () => {
  const { b } = await diverged('l/1', [{ n: 1 }, { n: 2, m: 1 }])
  const on = await write(b, { key: 'l/1', value: 3, baseValue: { m: 1, n: 2 }, timestamp: 1 })
  expect(on).toMatchObject({ conflicts: [], results: [{ status: 'applied' }] })
  const beside = await write(b, { key: 'l/1', value: 4, baseValue: { n: 1 }, timestamp: T + 9 })
  expect(beside.conflicts).toMatchObject([{ loser: { value: 3 } }])
})

test('[BV1] edits made before the first reply arrived name the value of the first', async () => {
  const { b } = await diverged('l/1', [1, 2])
  await write(b, { key: 'l/1', value: 3, baseValue: 2 })
  const second = await write(b, { key: 'l/1', value: 4, baseValue: 2, timestamp: 1 })
  expect(second).toMatchObject({ conflicts: [], results: [{ status: 'applied' }] })
})

test('[BV2] the value that a client names is the base of a merge', async () => {
  const { b } = await diverged('m/1', [{ n: 1 }, { n: 1, a: 1 }])
  const reply = await write(b, { key: 'm/1', value: { n: 1, b: 1 }, baseValue: { n: 1 } })
  expect(reply.results).toMatchObject([{ status: 'merged', value: { n: 1, a: 1, b: 1 } }])
})

test('[BV3] baseDeleted says: believed deleted, or absent', async () => {
  const [a, b] = await twoDevices()
  expect((await write(a, { key: 'l/1', value: 1, baseDeleted: true })).results[0].status).toBe('applied')
  const late = await write(b, { key: 'l/1', value: 2, baseDeleted: true, timestamp: T + 1 })
  expect(late.conflicts).toMatchObject([{ loser: { value: 1 } }])
  await write(b, { key: 'l/1', deleted: true, baseValue: 2 })
  const anew = await write(a, { key: 'l/1', value: 3, baseDeleted: true, baseValue: 2 })
  expect(anew).toMatchObject({ conflicts: [], results: [{ status: 'applied' }] })
})

test('[BV4] a base and a value in its place are refused together; the value is part of what a retry repeats', async () => {
  const a = await device()
  const both = { key: 'l/1', value: 1, timestamp: T, base: null, baseValue: 1 }
  expect(await a.sync({ changes: [both] })).toMatchObject({ status: 422, body: { code: 'invalid-request' } })
  const changes = [{ key: 'l/1', value: 1, timestamp: T, baseValue: 1 }]
  await a.sync({ batch: 1, changes })
  expect((await a.sync({ batch: 1, changes })).body.replayed).toBe(true)
  const others = [{ ...changes[0], baseValue: 2 }]
  expect((await a.sync({ batch: 1, changes: others })).body.code).toBe('batch-mismatch')
})

test('[CF3] values in a reply stop where it grows too long, and are read page by page', async () => {
  const { token } = await mint()
  const [a, b] = [await device({ token, clientId: 'a' }), await device({ token, clientId: 'b' })]
  const keys = Array.from({ length: 12 }, (_, index) => `l/${index}`)
  const size = 200_000
  for (const key of keys) await write(a, { key, value: 'a'.repeat(size), timestamp: T + 1 })
  const changes = keys.map((key) => ({ key, value: 'b', timestamp: T }))
  const response = await b.sync({ batch: 1, changes })
  expect(response.body.conflicts).toHaveLength(12)
  const shown = response.body.conflicts.filter(({ winner }: { winner: object }) => 'value' in winner)
  expect(shown.length).toBeGreaterThan(4)
  expect(shown.length).toBeLessThan(8)
  expect(response.body.conflicts.at(-1).winner).toEqual({ version: expect.any(String), omitted: true })
  let after = 0
  let found = 0
  for (let pages = 0; pages < 9; pages++) {
    const { body } = await b.get(`/api/conflicts?after=${after}`)
    for (const { winner, loser } of body.conflicts) {
      expect([winner.value.length, loser.value]).toEqual([size, 'b'])
      found += 1
    }
    if (body.next === null) break
    after = body.next
  }
  expect(found).toBe(12)
})

test('[AU7] what other clients wrote is not told to a token without sync:read', async () => {
  const { token, space } = await mintBoth()
  const reader = await device({ token })
  await write(reader, { key: 'l/1', value: 'foreign', timestamp: T + 9 })
  await write(reader, { key: 'm/1', value: { foreign: 1 }, base: null })
  const writer = await device(await mint({ space, scopes: ['sync:write'] }))
  const { body } = await writer.sync({
    changes: [
      { key: 'l/1', value: 'mine', timestamp: T },
      { key: 'm/1', value: { mine: 1 }, timestamp: T - 1, base: null },
    ],
  })
  expect(body.results).toMatchObject([{ status: 'superseded' }, { status: 'superseded' }])
  expect(JSON.stringify(body)).not.toContain('foreign')
  const empty = await writer.sync({ changes: [] })
  expect(empty).toMatchObject({ status: 403, body: { code: 'forbidden-scope' } })
  const number = await (await device(await mint({ space, scopes: ['sync:read'] }))).sync({
    batch: 1,
    changes: [],
  })
  expect(number).toMatchObject({ status: 403, body: { code: 'forbidden-scope' } })
})

/** A writer who may not read, in a space in which another client has written under every policy. */
async function blindWriter() {
  const { token, space } = await mintBoth()
  const owner = await device({ token, clientId: 'o' })
  const writer = await device({ ...(await mint({ space, scopes: ['sync:write'] })), clientId: 'w' })
  const keys = Object.keys(POLICIES).map((policy) => `${policy}/1`)
  await owner.sync({ changes: keys.map((key) => ({ key, value: secretOf(1234), timestamp: T, base: null })) })
  return { owner, writer, keys }
}

function secretOf(pin: number): object {
  return { pin, name: 'x' }
}

type Tried = [what: string, more: (value: unknown) => object, around?: object]

/** Ways to write over a value that one has not seen. */
const TRIES: readonly Tried[] = [
  ['blind and older', () => ({ timestamp: 0 })],
  ['blind and of the same time', () => ({ timestamp: T })],
  ['blind and later', () => ({ timestamp: T + 9 })],
  ['as if absent', () => ({ timestamp: 0, base: null })],
  ['on an unknown version', () => ({ timestamp: 0, base: 'x.1' })],
  ['as if the guess stood', (value) => ({ timestamp: 0, baseValue: value })],
  [
    'as if the guess stood, with another value',
    (value) => ({ timestamp: 0, baseValue: value, value: 'mine' }),
  ],
  ['as if it were deleted', () => ({ timestamp: 0, baseDeleted: true })],
  ['atomic', () => ({ timestamp: 0 }), { atomic: true }],
  ['numbered', () => ({ timestamp: 0 }), { batch: 1 }],
  ['numbered and atomic', () => ({ timestamp: 0, base: null }), { batch: 1, atomic: true }],
]

test.each(TRIES)(
  '[AU7] a writer who may not read cannot tell a right guess from a wrong one: %s',
  async (_what, more, around = {}) => {
    const [right, wrong] = await Promise.all(
      [1234, 9999].map(async (pin) => {
        const { owner, writer, keys } = await blindWriter()
        const value = secretOf(pin)
        const guesses = keys.map((key) => ({ key, value, ...more(value) }))
        // A write of its own tells by its version how many were stored before.
        const body = { ...around, changes: [...guesses, { key: 'k/own', value: 1, timestamp: T }] }
        const told = [
          await writer.sync(body),
          await writer.sync(body),
          await writer.sync({ changes: [{ key: 'k/own', value: 2, timestamp: T + 1 }] }),
        ]
        const [epoch] = (await owner.get('/api/status')).body.head.split('.')
        return JSON.stringify(told.map(({ status, body }) => [status, body]))
          .replaceAll(epoch, 'epoch')
          .replaceAll(/"(serverTime|instance)":("[^"]*"|\d+)/g, '')
      }),
    )
    expect(right).toBe(wrong)
  },
)

test('[AU7] its own writes a writer who may not read can base on what it wrote, and retry without harm', async () => {
  const { token, space } = await mintBoth()
  const writer = await device({ ...(await mint({ space, scopes: ['sync:write'] })), clientId: 'w' })
  const own = async (change: object) =>
    (await writer.sync({ changes: [{ key: 'm/1', ...change }] })).body.results[0]
  const first = await own({ value: { a: 1 }, timestamp: T, base: null })
  expect(first.status).toBe('applied')
  expect(await own({ value: { a: 1 }, timestamp: T })).toEqual({ ...first, status: 'noop' })
  const second = await own({ value: { a: 2 }, timestamp: T + 1, base: first.version })
  expect(second.status).toBe('applied')
  expect((await own({ value: { a: 3 }, timestamp: T + 2, baseValue: { a: 2 } })).status).toBe('applied')
  expect((await own({ value: { a: 3 }, timestamp: T + 2, baseValue: { a: 2 } })).status).toBe('noop')
  const { body } = await (await device({ token })).get('/api/conflicts')
  expect(body.conflicts).toEqual([])
})

test('[CF7] nobody decides a conflict that they may not see', async () => {
  const { owner, writer } = await blindWriter()
  await writer.sync({ changes: [{ key: 'x/1', value: 'mine', timestamp: T, base: null }] })
  const [conflict] = (await owner.get('/api/conflicts?open=1')).body.conflicts
  const body = { choice: 'value', value: secretOf(1234), base: conflict.winner.version }
  const decided = await send('POST', `/api/conflicts/${conflict.id}/resolve`, {
    body,
    bearer: writer.session,
  })
  expect(decided.body).toMatchObject({ status: 403, code: 'forbidden-scope' })
  expect(decided.body.detail).toContain('sync:read')
})

async function mintBoth() {
  const space = crypto.randomUUID()
  return { space, ...(await mint({ space })) }
}

test('[FE7] a replay tells of what its session may see by now', async () => {
  const space = crypto.randomUUID()
  const subject = 'ann'
  const a = await device({ ...(await mint({ space, subject })), clientId: 'a' })
  await write(a, { key: 'l/1', value: 'secret', timestamp: T + 9 })
  await write(a, { key: 'm/1', value: { secret: 1 }, base: null })
  const batch = {
    batch: 1,
    changes: [
      { key: 'l/1', value: 1, timestamp: T },
      { key: 'm/1', value: { b: 1 }, timestamp: T, base: null },
      { key: 'k/1', value: 1, timestamp: T },
    ],
  }
  const b = await device({ ...(await mint({ space, subject })), clientId: 'b' })
  expect(JSON.stringify((await b.sync(batch)).body)).toContain('secret')
  const narrowed = await mint({ space, subject, collections: ['k'] })
  const { body } = await (await device({ ...narrowed, clientId: 'b' })).sync(batch)
  expect(body.replayed).toBe(true)
  expect(JSON.stringify(body)).not.toContain('secret')
})

test('[SY12] the order of a batch counts, whatever its times and bases: no conflict with oneself', async () => {
  const a = await device()
  const { body } = await a.sync({
    changes: [
      { key: 'l/1', value: 1, timestamp: T + 9 },
      { key: 'l/1', value: 2, timestamp: T },
      { key: 'l/1', value: 3, timestamp: T, base: 'other.1' },
    ],
  })
  expect(body.conflicts).toEqual([])
  expect(await standingValue(a, 'l/1')).toBe(3)
})

test('[BA6] an un-numbered batch that wrote a key twice is recognised when it comes again', async () => {
  const a = await device()
  const changes = [
    { key: 'l/1', value: 1, timestamp: T },
    { key: 'l/1', value: 2, timestamp: T + 1 },
  ]
  const { head } = (await a.sync({ changes })).body
  const again = (await a.sync({ changes })).body
  expect(again).toMatchObject({ conflicts: [], head, results: [{ status: 'noop' }, { status: 'noop' }] })
})

test('[AU6] nobody else writes in the name of a client that numbers its batches, numbered or not', async () => {
  const { token, space } = await mintBoth()
  await (await device({ token, clientId: 'a' })).sync({ batch: 1, changes: [] })
  const other = await device({ ...(await mint({ space })), clientId: 'a' })
  const { body } = await other.sync({ changes: [{ key: 'l/1', value: 1, timestamp: T }] })
  expect(body.code).toBe('foreign-client')
  expect((await other.get('/api/status')).body.entries).toBe(0)
})

test('[SG1] a batch whose canonical text is far longer than what came is stored and reads back', async () => {
  const a = await device()
  const numbers = `[${'1e20,'.repeat(11_000)}1e20]`
  const changes = Array.from({ length: 12 }, (_, n) => `{"key":"l/${n}","value":${numbers},"timestamp":${T}}`)
  const reply = await send('POST', '/api/sync', {
    bearer: a.session,
    text: `{"changes":[${changes.join(',')}]}`,
  })
  expect(reply.body.success).toBe(true)
  expect(await standingValue(a, 'l/11')).toHaveLength(11_001)
})

test('[SY7] what a batch is compared with is kept up to 8 MiB; past it the same content is still no change', async () => {
  const [a, b] = await twoDevices()
  const value = (n: number) => `${n}`.padEnd(240_000, 'v')
  for (let n = 0; n < 40; n += 4) {
    const changes = [n, n + 1, n + 2, n + 3].map((key) => ({
      key: `l/${key}`,
      value: value(key),
      timestamp: T,
    }))
    await a.sync({ changes })
  }
  const changes = Array.from({ length: 40 }, (_, n) => {
    const isSame = n === 0 || n === 38
    return { key: `l/${n}`, value: isSame ? value(n) : n, timestamp: T - 1, base: 'other.1' }
  })
  const { body } = await b.sync({ batch: 1, changes })
  const statuses = body.results.map(({ status }: { status: string }) => status)
  expect(statuses).toEqual(changes.map((_, n) => (n === 0 || n === 38 ? 'noop' : 'superseded')))
  expect(body.conflicts).toHaveLength(38)
  for (const { winner, loser } of body.conflicts) {
    // A side that is shown is shown whole: what was not kept is read again, or left out as too long.
    expect(winner.omitted === true || winner.value?.length === 240_000).toBe(true)
    expect(loser.omitted === true || typeof loser.value === 'number').toBe(true)
  }
})

test('[BV1] past 8 MiB that a batch is compared with, a value that stands is still the base', async () => {
  const [a, b] = await twoDevices()
  const value = (n: number) => `${n}`.padEnd(240_000, 'v')
  for (let n = 0; n < 40; n += 4) {
    const keys = [n, n + 1, n + 2, n + 3]
    await a.sync({ changes: keys.map((key) => ({ key: `l/${key}`, value: value(key), timestamp: T })) })
  }
  const changes = Array.from({ length: 40 }, (_, n) => {
    return { key: `l/${n}`, value: n, timestamp: 1, ...(n < 37 ? { base: 'x.1' } : { baseValue: value(n) }) }
  })
  const { body } = await b.sync({ batch: 1, changes })
  const last = body.results.slice(37).map(({ status }: { status: string }) => status)
  expect(last).toEqual(['applied', 'applied', 'applied'])
  expect(body.conflicts).toHaveLength(37)
})

test('[PO5] merge: so is what comes once a batch had to open 8 MiB', async () => {
  const [a, b] = await twoDevices()
  const keys = Array.from({ length: 40 }, (_, n) => `m/${n}`)
  const first = await a.sync({
    changes: keys.map((key) => ({ key, value: { n: 0 }, timestamp: T, base: null })),
  })
  const bases = first.body.results.map(({ version }: { version: string }) => version)
  for (let n = 0; n < 40; n += 4) {
    const changes = [n, n + 1, n + 2, n + 3].map((at) => {
      return { key: keys[at], value: { n: 0, a: 'v'.repeat(240_000) }, timestamp: T + 1, base: bases[at] }
    })
    await a.sync({ changes })
  }
  const changes = keys.map((key, n) => ({ key, value: { n: 0, b: n }, timestamp: T + 2, base: bases[n] }))
  const { body } = await b.sync({ batch: 1, changes })
  const statuses = body.results.map(({ status }: { status: string }) => status)
  expect(new Set(statuses)).toEqual(new Set(['merged', 'applied']))
  const merged = statuses.filter((status: string) => status === 'merged').length
  expect(merged).toBeGreaterThan(25)
  expect(body.conflicts).toHaveLength(40 - merged)
  for (const { policy, resolution } of body.conflicts)
    expect([policy, resolution]).toEqual(['lww', 'kept-client'])
  const { body: merge } = await a.get('/api/entries?key=m/0')
  expect(merge.value).toMatchObject({ n: 0, b: 0, a: expect.any(String) })
})
