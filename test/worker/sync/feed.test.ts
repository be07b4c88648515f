import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { beforeOpening } from '../../support/unkind/opening.ts'
import { type Device, device, mint, send, twoDevices } from '../../support/worker/client.ts'

const T = Date.now() - 60_000

interface Entry {
  readonly key: string
  readonly value?: unknown
  readonly version: string
}

function puts(keys: readonly string[], value: unknown = 'x'): object[] {
  return keys.map((key) => ({ key, value, timestamp: T }))
}

/** Pulls to the end, and returns every page. */
async function pull(by: Device, from: string | null, limit: number): Promise<Entry[][]> {
  const pages: Entry[][] = []
  for (let cursor = from; ; ) {
    const { body } = await by.sync({ changes: [], cursor, limit })
    pages.push(body.changes)
    cursor = body.cursor
    if (!body.more) return pages
  }
}

test('[FE1] returns the latest entry of each key after the cursor, in the order of versions', async () => {
  const a = await device()
  await a.sync({ changes: puts(['k/1', 'k/2', 'k/3']) })
  await a.sync({ changes: [{ key: 'k/1', value: 'again', timestamp: T + 1 }] })
  const { body } = await a.sync({ changes: [], cursor: null })
  expect(body.changes.map(({ key }: Entry) => key)).toEqual(['k/2', 'k/3', 'k/1'])
  const seqs = body.changes.map(({ version }: Entry) => Number(version.split('.')[1]))
  expect(seqs).toEqual([...seqs].sort((x, y) => x - y))
  expect(body).toMatchObject({ cursor: body.head, more: false, reset: false })
})

test('[FE2] ends a page at the limit, with at least one entry, and continues from its cursor', async () => {
  const a = await device()
  const keys = Array.from({ length: 25 }, (_, index) => `k/${index}`)
  await a.sync({ changes: puts(keys.slice(0, 15)) })
  await a.sync({ changes: puts(keys.slice(15)) })
  const pages = await pull(a, null, 10)
  expect(pages.map((page) => page.length)).toEqual([10, 10, 5])
  expect(pages.flat().map(({ key }) => key)).toEqual(keys)
})

test('[FE2] ends a page at a mebibyte', async () => {
  const a = await device()
  for (let round = 0; round < 3; round++) {
    const keys = [0, 1, 2].map((index) => `big/${round}-${index}`)
    const { body } = await a.sync({ changes: puts(keys, 'v'.repeat(250_000)) })
    expect(body.success).toBe(true)
  }
  const pages = await pull(a, null, 500)
  expect(pages.map((page) => page.length)).toEqual([5, 4])
})

test('[FE2] counts the bytes of UTF-8, not the characters', async () => {
  const a = await device()
  for (let round = 0; round < 2; round++) {
    const keys = [0, 1, 2].map((index) => `big/${round}-${index}`)
    expect((await a.sync({ changes: puts(keys, '\u{20ac}'.repeat(80_000)) })).body.success).toBe(true)
  }
  const pages = await pull(a, null, 500)
  expect(pages.map((page) => page.length)).toEqual([5, 1])
})

test('[FE2] ends a page that read much of the log and found little, and continues from there', async () => {
  const a = await device()
  await a.sync({ changes: puts(['first/1']) })
  for (let round = 0; round < 12; round++) {
    const changes = puts(['hot/1', 'hot/2', 'hot/3', 'hot/4'], `${round}`.padEnd(220_000, 'x'))
    expect((await a.sync({ changes })).body.success).toBe(true)
  }
  await a.sync({ changes: puts(['last/1']) })
  const found: string[][] = []
  for (let path = '/api/changes?collections=first,last'; path !== ''; ) {
    const { body } = await a.get(path)
    found.push(body.changes.map(({ key }: Entry) => key))
    path = body.more ? `/api/changes?collections=first,last&cursor=${body.cursor}` : ''
  }
  expect(found).toEqual([['first/1'], [], ['last/1']])
})

test('[FE3] returns only what came after the cursor', async () => {
  const [a, b] = await twoDevices()
  const { cursor } = (await b.sync({ changes: [], cursor: null })).body
  await a.sync({ changes: puts(['k/1']) })
  const { body } = await b.sync({ changes: [], cursor })
  expect(body.changes.map(({ key }: Entry) => key)).toEqual(['k/1'])
  expect((await b.sync({ changes: [], cursor: body.cursor })).body.changes).toEqual([])
})

test('[FE4] leaves out the writes of the same request, and nothing else', async () => {
  const [a, b] = await twoDevices()
  const { cursor } = (await b.sync({ changes: [], cursor: null })).body
  await a.sync({ changes: puts(['a/1']) })
  const { body } = await b.sync({ changes: puts(['b/1']), cursor })
  expect(body.changes.map(({ key }: Entry) => key)).toEqual(['a/1'])
  expect(body.cursor).toBe(body.head)
})

test('[FE4] includes the writes of the same request with cursor null, under reset and in a replay', async () => {
  const a = await device()
  const first = await a.sync({ batch: 1, changes: puts(['k/1']), cursor: null })
  expect(first.body.changes).toHaveLength(1)
  const reset = await a.sync({ batch: 2, changes: puts(['k/2']), cursor: 'other.1' })
  expect(reset.body).toMatchObject({ reset: true, changes: [{ key: 'k/1' }, { key: 'k/2' }] })
  const pushed = { batch: 3, changes: puts(['k/3']), cursor: reset.body.cursor }
  expect((await a.sync(pushed)).body.changes).toEqual([])
  expect((await a.sync(pushed)).body.changes).toMatchObject([{ key: 'k/3' }])
})

test('[FE5] returns no cursor and no changes without a cursor', async () => {
  const a = await device()
  const { body } = await a.sync({ changes: puts(['k/1']) })
  expect(body.changes).toEqual([])
  expect(body).not.toHaveProperty('cursor')
})

test('[RE1] starts over under reset, with the reason, if a cursor cannot be continued', async () => {
  const a = await device()
  const { cursor } = (await a.sync({ changes: puts(['k/1', 'z/1']), cursor: null })).body
  const [epoch] = cursor.split('.')
  const strange = [
    ['head', `${epoch}.99`],
    ['head', `${epoch}.3`],
    ['head', `${epoch}.1-99`],
    ['head', `${epoch}.99.x`],
    ['cursor', `${epoch}.-1`],
    ['cursor', `${epoch}.1e0`],
    ['cursor', `${epoch}.01`],
    ['cursor', `${epoch}.2-1`],
    ['epoch', 'other.1'],
    ['epoch', 'other.1.x'],
    ['cursor', 'rubbish'],
    ['cursor', ''],
    ['cursor', 'x'.repeat(5_000)],
    ['cursor', `${epoch}.${'1'.repeat(5_000)}`],
    ['filter', `${epoch}.1.x`],
  ] as const
  for (const [resetReason, from] of strange) {
    const { body } = await a.sync({ changes: [], cursor: from })
    const anew = { reset: true, resetReason, changes: [{ key: 'k/1' }, { key: 'z/1' }], cursor }
    expect(body, from).toMatchObject(anew)
    expect((await a.get(`/api/changes?cursor=${from}`)).body, from).toMatchObject(anew)
  }
  const filtered = await a.sync({ changes: [], cursor, collections: ['k'] })
  expect(filtered.body).toMatchObject({ reset: true, resetReason: 'filter', changes: [{ key: 'k/1' }] })
  const further = await a.sync({ changes: [], cursor: filtered.body.cursor, collections: ['k'] })
  expect(further.body).toMatchObject({ reset: false, changes: [] })
  expect(further.body).not.toHaveProperty('resetReason')
})

test('[FE6] accepts a version as a cursor from a reader of all collections, and from no other', async () => {
  const a = await device()
  const { body: pushed } = await a.sync({ changes: puts(['k/1', 'z/1']) })
  const cursor = pushed.results[0].version
  expect((await a.sync({ changes: [], cursor })).body).toMatchObject({
    reset: false,
    changes: [{ key: 'z/1' }],
  })
  expect((await a.sync({ changes: [], cursor: pushed.head })).body).toMatchObject({
    reset: false,
    changes: [],
  })
  expect((await a.sync({ changes: [], cursor, collections: ['k'] })).body.resetReason).toBe('filter')
})

test('[FE7] shows only the collections that the request names and the token grants', async () => {
  const subject = crypto.randomUUID()
  const all = await device(await mint({ subject }))
  await all.sync({ changes: puts(['k/1', 'z/1', 'plain', 'q/1']) })
  const some = await device(await mint({ subject, collections: ['k', 'default'] }))
  const { body } = await some.sync({ changes: [], cursor: null })
  expect(body.changes.map(({ key }: Entry) => key)).toEqual(['k/1', 'plain'])
  const fewer = await some.get('/api/changes?collections=k')
  expect(fewer.body.changes.map(({ key }: Entry) => key)).toEqual(['k/1'])
  const asked = await some.get('/api/changes?collections=k,z')
  expect(asked.body).toMatchObject({ status: 403, code: 'forbidden-collection' })
  expect((await some.get('/api/entries?key=z/1')).status).toBe(404)
  const written = await some.sync({ changes: puts(['z/2', 'k/2']) })
  expect(written.body.results).toMatchObject([
    { status: 'rejected', code: 'forbidden-key' },
    { status: 'applied' },
  ])
  expect((await some.get('/api/status')).body).toMatchObject({ entries: null, openConflicts: null })
})

test('[FE7] refuses a collection with a comma in its name, which no list in a query could hold', async () => {
  const a = await device()
  for (const reply of [
    await a.sync({ changes: [], cursor: null, collections: ['a,b'] }),
    await send('POST', '/api/tokens', {
      body: { subject: 'x', scopes: ['sync:read'], collections: ['a,b'] },
      bearer: env.ADMIN_TOKEN,
    }),
  ]) {
    expect(reply.body).toMatchObject({ status: 422, code: 'invalid-request' })
    expect(reply.body.detail).toContain('collections[0]')
  }
  const { body } = await a.sync({ changes: puts(['a,b/1', 'a, b']), cursor: null })
  expect(body.changes).toHaveLength(2)
})

test('[FE8] returns the same from GET /api/changes as from an empty push', async () => {
  const a = await device()
  await a.sync({ changes: puts(['k/1', 'k/2', 'k/3']) })
  const first = await a.get('/api/changes?limit=2')
  expect(first.body).toMatchObject({ changes: [{ key: 'k/1' }, { key: 'k/2' }], more: true, reset: false })
  const rest = await a.get(`/api/changes?cursor=${first.body.cursor}`)
  expect(rest.body).toMatchObject({ changes: [{ key: 'k/3' }], more: false })
})

test('[FE9] returns the same state of many batches in pages of any size', async () => {
  const a = await device()
  const state = new Map<string, unknown>()
  for (let round = 0; round < 40; round++) {
    const changes = Array.from({ length: 7 }, (_, index) => {
      const key = `k/${(round * 5 + index * 3) % 31}`
      state.set(key, `${round}.${index}`.repeat(20))
      return { key, value: state.get(key), timestamp: T + round * 100 + index }
    })
    expect((await a.sync({ batch: round + 1, changes })).body.success).toBe(true)
  }
  for (const limit of [1, 3, 500]) {
    const entries = (await pull(a, null, limit)).flat()
    expect(new Map(entries.map(({ key, value }) => [key, value]))).toEqual(state)
    expect(entries).toHaveLength(31)
  }
})

test('[SC15] serves four of twenty pulls at a time, and replies to all', async () => {
  const { token } = await mint()
  const a = await device({ token })
  for (let n = 0; n < 4; n++) {
    const changes = [1, 2, 3].map((k) => ({ key: `k/${n}-${k}`, value: 'v'.repeat(250_000), timestamp: T }))
    await a.sync({ changes })
  }
  let [opening, most] = [0, 0]
  beforeOpening(async () => {
    opening += 1
    most = Math.max(most, opening)
    await scheduler.wait(1)
    opening -= 1
  })
  const pulls = await Promise.all(Array.from({ length: 20 }, () => a.get('/api/changes')))
  expect(pulls.map(({ body }) => body.changes.length)).toEqual(Array(20).fill(5))
  // A page opens the chunks of one row at a time. A value of this length has a chunk and a row of its own.
  expect(most).toBe(4)
})
