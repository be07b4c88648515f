import { expect, test } from 'vitest'
import { sync } from '../../../worker/src/objects/write/sync.ts'
import { within } from '../../support/worker/ageing.ts'
import { device, mint, twoDevices } from '../../support/worker/client.ts'
import { currentValue, diverged, POLICIES, T, write } from '../../support/worker/divergence.ts'
import { sessionOf } from '../../support/worker/session.ts'

const ANYONE = sessionOf({ client: '', scopes: ['sync:read', 'sync:write'] })

test('[PO1] server-wins: lets a concurrent write lose whatever its clock says, and keeps it', async () => {
  const { a, b, base, version } = await diverged('s/1', [1, 2])
  const { results, conflicts } = await write(b, { key: 's/1', value: 3, base, timestamp: T + 99 })
  expect(results).toMatchObject([{ status: 'superseded', version }])
  expect(conflicts).toMatchObject([{ policy: 'server-wins', resolution: 'kept-server', loser: { value: 3 } }])
  expect(await currentValue(a, 's/1')).toBe(2)
})

test('[PO2] client-wins: applies a concurrent write whatever its clock says, and keeps the version that it replaces', async () => {
  const { a, b, base } = await diverged('c/1', [1, 2])
  const { results, conflicts } = await write(b, { key: 'c/1', value: 3, base, timestamp: T - 99 })
  expect(results).toMatchObject([{ status: 'applied' }])
  expect(conflicts).toMatchObject([{ policy: 'client-wins', resolution: 'kept-client', loser: { value: 2 } }])
  expect(await currentValue(a, 'c/1')).toBe(3)
})

test('[PO3] merge: keeps the fields that only one side changed, without a conflict', async () => {
  const { a, b, base } = await diverged('m/1', [
    { title: 'a', n: 1, gone: 1, in: { x: 1, y: 1 } },
    { title: 'A', n: 1, gone: 1, in: { x: 2, y: 1 } },
  ])
  const merged = { title: 'A', n: 2, in: { x: 2, y: 2 }, new: [1] }
  const sent = { title: 'a', n: 2, in: { x: 1, y: 2 }, new: [1] }
  const reply = await write(b, { key: 'm/1', value: sent, base, timestamp: T - 5 })
  expect(reply).toMatchObject({ success: true, synced: ['m/1'], conflicts: [] })
  expect(reply.results).toMatchObject([{ status: 'merged', value: merged }])
  expect(await currentValue(a, 'm/1')).toEqual(merged)
  const { versions } = (await b.get('/api/history?key=m/1')).body
  expect(versions.map(({ value }: { value: unknown }) => value).slice(0, 2)).toEqual([merged, sent])
})

test('[PO3] sends the merged value in the feed, and shows the version of the result in the entry', async () => {
  const { b, base } = await diverged('m/1', [{ n: 1 }, { n: 1, a: 1 }])
  const cursor = (await b.sync({ changes: [], cursor: null })).body.cursor
  const change = { key: 'm/1', value: { n: 1, b: 1 }, base, timestamp: T }
  const { body } = await b.sync({ changes: [change, { key: 'm/2', value: 1, timestamp: T }], cursor })
  const [{ version }] = body.results
  expect(body.changes[0]).toMatchObject({ key: 'm/1', version, value: { n: 1, a: 1, b: 1 } })
  expect((await b.get('/api/entries?key=m/1')).body.version).toBe(version)
})

test('[PO4] merge: takes fields that both changed from the later side, names the pointers and keeps the loser', async () => {
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

test('[PO4] merge: records an earlier side that loses some of its changes as the loser', async () => {
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

test('[PO4] merge: names only the root for a hundred clashes under a name of 200 kB, and stores the batch', async () => {
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

test('[PO4] merge: marks a side that loses all of its changes as superseded, with the pointers', async () => {
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
])('[PO5] merge: resolves %s as last write wins', async (_, content, after) => {
  const { b, base } = await diverged('m/1', [{ n: 1 }, after])
  const reply = await write(b, { key: 'm/1', ...content, base, timestamp: T + 9 })
  expect(reply.results).toMatchObject([{ status: 'applied' }])
  expect(reply.conflicts).toMatchObject([
    { policy: 'lww', resolution: 'kept-client', loser: { value: after } },
  ])
})

test('[PO5] merge: resolves an unknown base as last write wins', async () => {
  const { b } = await diverged('m/1', [{ n: 1 }, { n: 2 }])
  const reply = await write(b, { key: 'm/1', value: { m: 1 }, base: 'other.3', timestamp: T + 9 })
  expect(reply.conflicts).toMatchObject([{ policy: 'lww', loser: { value: { n: 2 } } }])
})

test("[PO5] merge: resolves another key's version as last write wins", async () => {
  const { a, b } = await diverged('m/1', [{ n: 1 }, { n: 2 }])
  const other = (await write(a, { key: 'm/2', value: { n: 1, secret: 1 } })).results[0].version
  const reply = await write(b, { key: 'm/1', value: { n: 1 }, base: other, timestamp: T + 9 })
  expect(reply.results).toMatchObject([{ status: 'applied' }])
  expect(reply.conflicts).toMatchObject([{ policy: 'lww' }])
})

test('[PO5] merge: resolves a merge that would grow too large as last write wins', async () => {
  const [big, other] = ['a'.repeat(200_000), 'b'.repeat(200_000)]
  const { b, base } = await diverged('m/1', [{}, { big }])
  const reply = await write(b, { key: 'm/1', value: { other }, base, timestamp: T + 9 })
  expect(reply.results).toMatchObject([{ status: 'applied' }])
  expect(reply.conflicts).toMatchObject([{ policy: 'lww', loser: { value: { big } } }])
})

test('[CL1] gives a merge the later of both times, whatever the clock of the client says', async () => {
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

test('[PO5] merge: merges two creations of one key by field', async () => {
  const [a, b] = await twoDevices()
  await write(a, { key: 'm/1', value: { a: 1, both: 'a' }, base: null })
  const reply = await write(b, { key: 'm/1', value: { b: 1, both: 'b' }, base: null, timestamp: T + 1 })
  expect(reply.results[0]).toMatchObject({ status: 'merged', value: { a: 1, b: 1, both: 'b' } })
})

test('[PO6] merges further edits of a client that does not know the merge yet onto it', async () => {
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

test('[PO6] applies a further edit of a client whose first one was the whole merge, without merging it again', async () => {
  const { b, base } = await diverged('m/whole', [
    { x: 0, y: 0 },
    { x: 1, y: 0 },
  ])
  const edit = (value: object, timestamp: number) => write(b, { key: 'm/whole', value, base, timestamp })
  expect((await edit({ x: 2, y: 0 }, T + 9)).results).toMatchObject([{ status: 'merged' }])
  expect((await edit({ x: 1, y: 0 }, T + 10)).results).toMatchObject([{ status: 'applied' }])
  expect(await currentValue(b, 'm/whole')).toEqual({ x: 1, y: 0 })
})

test('[PO6] orders the merges of one batch between its other changes', async () => {
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
  expect(await currentValue(a, 'k/3')).toBe(3)
})

test('[PO6] stores only what was sent if a merge is overtaken while it is sealed', async () => {
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
      // The second sealing is that of the merge: it takes as long as another request.
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

test('[PO8] sets a blind write over a merge against the fields of others in the merge', async () => {
  const { b, base } = await diverged('m/1', [{ n: 1 }, { n: 1, a: 1 }])
  await write(b, { key: 'm/1', value: { n: 1, b: 1 }, base, timestamp: T + 6 })
  const reply = await write(b, { key: 'm/1', value: { blind: 1 }, timestamp: T + 9 })
  expect(reply.conflicts).toMatchObject([{ policy: 'lww', loser: { value: { n: 1, a: 1, b: 1 } } }])
})

test('[PO7] manual: keeps the current version and the other one beside it, until a decision', async () => {
  const { a, b, base, version } = await diverged('x/1', [1, 2])
  const reply = await write(b, { key: 'x/1', value: 3, base, timestamp: T + 99 })
  expect(reply).toMatchObject({ success: true, synced: [], results: [{ status: 'conflict', version }] })
  expect(reply.conflicts).toMatchObject([{ resolution: 'open', winner: { value: 2 }, loser: { value: 3 } }])
  await write(b, { key: 'x/1', value: 4, base, timestamp: T + 100 })
  await write(a, { key: 'x/1', value: 5, base: version })
  expect(await currentValue(a, 'x/1')).toBe(5)
  expect((await a.get('/api/conflicts?open=1')).body.conflicts).toHaveLength(2)
  expect((await a.get('/api/status')).body.openConflicts).toBe(2)
})

test('[PO8] resolves a blind write by the clock under every policy', async () => {
  for (const collection of Object.keys(POLICIES)) {
    const [a, b] = await twoDevices()
    const key = `${collection}/1`
    await write(a, { key, value: { n: 1 } })
    const reply = await write(b, { key, value: { m: 1 }, timestamp: T + 1 })
    expect(reply.results).toMatchObject([{ status: 'applied' }])
    expect(reply.conflicts).toMatchObject([{ policy: 'lww', loser: { value: { n: 1 } } }])
  }
})

test('[PO9] resolves a write to a dropped key on a forgotten base by the policy', async () => {
  const expected = { s: 'superseded', c: 'applied', m: 'applied', x: 'conflict', l: 'applied' }
  for (const [collection, status] of Object.entries(expected)) {
    const a = await device()
    const reply = await write(a, { key: `${collection}/1`, value: { n: 1 }, base: 'other.7' })
    expect(reply.results).toMatchObject([{ status }])
    expect(reply.conflicts).toHaveLength(1)
  }
})

test('[CF3] leaves values out of a reply that grows too long, to be read page by page', async () => {
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

test('[PO5] merge: resolves changes after a batch had to open 8 MiB as last write wins', async () => {
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
