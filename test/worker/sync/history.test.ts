import { expect, test } from 'vitest'
import { device, mint, newSpace, type Reply } from '../../support/worker/client.ts'

const T = Date.now() - 60_000

test('[HI1] lists the history of a key, newest first, with deletions and last values', async () => {
  const a = await device()
  const versions: string[] = []
  const write = async (content: object) => {
    const base = versions.at(-1) ?? null
    const reply = await a.sync({
      changes: [{ key: 'n/1', timestamp: T + versions.length, base, ...content }],
    })
    versions.push(reply.body.results[0].version)
  }
  await write({ value: 1 })
  await write({ value: 2 })
  await write({ deleted: true, value: 'last' })
  await write({ value: 3 })
  await a.sync({ changes: [{ key: 'n/2', value: 'other', timestamp: T }] })
  const { body } = await a.get('/api/history?key=n/1')
  expect(body).toMatchObject({
    key: 'n/1',
    next: null,
    versions: [
      { value: 3 },
      { deleted: true, value: 'last' },
      { value: 2 },
      { value: 1, by: a.id, timestamp: T },
    ],
  })
  expect(body.versions.map(({ version }: { version: string }) => version)).toEqual(versions.toReversed())
})

test('[HI2] continues page by page, and never to another key', async () => {
  const a = await device()
  const changes = Array.from({ length: 25 }, (_, n) => ({ key: 'n/1', value: n, timestamp: T + n }))
  await a.sync({ changes })
  await a.sync({ changes: [{ key: 'other/1', value: 'secret', timestamp: T }] })
  const other = await a.sync({ changes: [{ key: 'other/1', value: 'newer', timestamp: T + 1 }] })
  const found: number[] = []
  let before = ''
  for (let pages = 0; pages < 9; pages++) {
    const { body } = await a.get(`/api/history?key=n/1&limit=10${before}`)
    found.push(...body.versions.map(({ value }: { value: number }) => value))
    if (body.next === null) break
    before = `&before=${body.next}`
  }
  expect(found).toEqual(Array.from({ length: 25 }, (_, n) => 24 - n))
  const astray = await a.get(`/api/history?key=n/1&before=${other.body.results[0].version}`)
  expect(astray.body.versions).toEqual([])
  expect((await a.get('/api/history?key=n/1&before=rubbish')).body.versions).toEqual([])
})

test('[HI5] ends a page once 4 MiB of the log were read, with at least one version', async () => {
  const a = await device()
  const big = () => ({ key: `pad/${crypto.randomUUID()}`, value: 'p'.repeat(240_000), timestamp: T })
  // Each version shares a chunk, and so a row of the log, with one large value.
  for (let n = 0; n < 20; n++) await a.sync({ changes: [{ key: 'n/1', value: n, timestamp: T + n }, big()] })
  const pages: number[] = []
  for (let before: string | null = ''; before !== null; ) {
    const query: string = before === '' ? '' : `&before=${before}`
    const { body }: Reply = await a.get(`/api/history?key=n/1${query}`)
    pages.push(body.versions.length)
    before = body.next
  }
  expect(pages.length).toBeGreaterThan(1)
  expect(pages.reduce((sum, page) => sum + page)).toBe(20)
  expect(Math.min(...pages)).toBeGreaterThan(0)
})

test('[HI3] restores an old version by an ordinary write of its value', async () => {
  const a = await device()
  const first = await a.sync({ changes: [{ key: 'n/1', value: 'old', timestamp: T, base: null }] })
  const base = first.body.results[0].version
  await a.sync({ changes: [{ key: 'n/1', value: 'new', timestamp: T, base }] })
  const [current, old] = (await a.get('/api/history?key=n/1')).body.versions
  const restored = await a.sync({
    changes: [{ key: 'n/1', value: old.value, timestamp: T, base: current.version }],
  })
  expect(restored.body).toMatchObject({ conflicts: [], results: [{ status: 'applied' }] })
  expect((await a.get('/api/history?key=n/1')).body.versions).toHaveLength(3)
})

test('[HI4] returns no history of a key that never existed or is not granted', async () => {
  const { space, a } = await newSpace()
  await a.sync({ changes: [{ key: 'x/1', value: 'mine', timestamp: T }] })
  expect((await a.get('/api/history?key=never')).status).toBe(404)
  const other = await device(await mint({ space, collections: ['y'] }))
  expect((await other.get('/api/history?key=x/1')).status).toBe(404)
  const writer = await device(await mint({ space, scopes: ['sync:write'] }))
  expect((await writer.get('/api/history?key=x/1')).body.code).toBe('forbidden-scope')
})
