import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, onTestFinished, test, vi } from 'vitest'
import { mismatches } from '../../support/documented.ts'
import { examine } from '../../support/setup/witness.ts'
import { age } from '../../support/worker/ageing.ts'
import { call, type Device, device, mint, send } from '../../support/worker/client.ts'

const T = Date.now() - 60_000
const ALL = ['sync:read', 'sync:write', 'space:admin']

function download({ session }: Device): Promise<Response> {
  return call('/api/export', { headers: { authorization: `Bearer ${session}` } })
}

async function lines(response: Response): Promise<{ key?: string; [field: string]: unknown }[]> {
  expect(response.status).toBe(200)
  const text = await response.text()
  examine('an export', text)
  const parts = text.split('\n')
  expect(parts.pop()).toBe('')
  return parts.map((line) => JSON.parse(line))
}

async function admin(): Promise<{ space: string; a: Device }> {
  const space = crypto.randomUUID()
  return { space, a: await device(await mint({ space, scopes: ALL })) }
}

function puts(from: number, to: number, value: unknown = 'x'): object[] {
  return Array.from({ length: to - from }, (_, n) => ({ key: `k/${from + n}`, value, timestamp: T }))
}

test('[EX1] streams a header, every entry as the feed shows it, and an end line', async () => {
  const { space, a } = await admin()
  for (const start of [0, 400, 800]) await a.sync({ changes: puts(start, start + 400) })
  await a.sync({
    changes: [
      { key: 'k/0', deleted: true, timestamp: T + 1 },
      { key: 'ключ/\u{1f600}', value: { a: '\n' }, timestamp: T + 1 },
    ],
  })
  const response = await download(a)
  expect(response.headers.get('content-type')).toBe('application/x-ndjson')
  const [header, ...entries] = await lines(response)
  const end = entries.pop()
  expect(entries.flatMap((entry) => mismatches('Entry', entry))).toEqual([])
  const { head } = (await a.get('/api/status')).body
  const [epoch] = head.split('.')
  const exportedAt = expect.any(Number)
  expect(header).toEqual({
    type: 'header',
    format: 'chronicle-export',
    version: 1,
    space,
    epoch,
    head,
    exportedAt,
  })
  expect(end).toEqual({ type: 'end', entries: 1200, cursor: head })
  const feed: { deleted?: true }[] = []
  for (let [cursor, more] = [null as string | null, true]; more; ) {
    const { body } = await a.sync({ changes: [], cursor })
    feed.push(...body.changes)
    cursor = body.cursor
    more = body.more
  }
  expect(entries).toEqual(feed.filter(({ deleted }) => !deleted))
})

test('[EX1] streams a header and an end line for an empty space', async () => {
  const { a } = await admin()
  expect(await lines(await download(a))).toMatchObject([{ type: 'header' }, { type: 'end', entries: 0 }])
})

test('[EX2] includes what is written meanwhile, deletions too', async () => {
  const { a } = await admin()
  const values = puts(0, 3000, 'v'.repeat(2000))
  for (let start = 0; start < 3000; start += 400) {
    expect((await a.sync({ changes: values.slice(start, start + 400) })).body.success).toBe(true)
  }
  const response = await download(a)
  const reader = (response.body as ReadableStream<Uint8Array>).getReader()
  const parts: Uint8Array[] = []
  const first = await reader.read()
  parts.push(first.value as Uint8Array)
  await a.sync({
    changes: [
      { key: 'k/0', deleted: true, timestamp: T + 1 },
      { key: 'k/1', value: 'later', timestamp: T + 1 },
    ],
  })
  for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) parts.push(chunk.value)
  const text = await new Blob(parts as Uint8Array<ArrayBuffer>[]).text()
  const found = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  const state = new Map<string, unknown>()
  for (const { key, value, deleted } of found.slice(1, -1))
    deleted ? state.delete(key) : state.set(key, value)
  expect(state.size).toBe(2999)
  expect([state.has('k/0'), state.get('k/1')]).toEqual([false, 'later'])
  expect(found.at(-1)).toMatchObject({ type: 'end', entries: found.length - 2 })
})

test('[EX3] requires both scopes and a token for all collections', async () => {
  const space = crypto.randomUUID()
  for (const [wanted, code] of [
    [{ scopes: ['sync:read', 'sync:write'] }, 'forbidden-scope'],
    [{ scopes: ['space:admin'] }, 'forbidden-scope'],
    [{ scopes: ALL, collections: ['k'] }, 'forbidden-collection'],
  ] as const) {
    const reader = await device(await mint({ space, ...wanted }))
    expect((await reader.get('/api/export')).body).toMatchObject({ status: 403, code })
  }
})

/** Begins to read a long export, runs `meanwhile`, and reads the rest. */
async function interrupted(a: Device, happen: () => Promise<unknown>): Promise<void> {
  for (let start = 0; start < 3000; start += 400) {
    await a.sync({ changes: puts(start, start + 400, 'v'.repeat(2000)) })
  }
  const response = await download(a)
  const reader = (response.body as ReadableStream<Uint8Array>).getReader()
  await reader.read()
  await happen()
  for (let chunk = await reader.read(); !chunk.done; ) chunk = await reader.read()
}

test('[EX4] breaks off without an end line when its session ends', async () => {
  const { a } = await admin()
  const ended = () => send('DELETE', '/api/auth', { bearer: a.session })
  await expect(interrupted(a, ended)).rejects.toThrow()
})

test('[EX4] breaks off without an end line when its session expires', async () => {
  onTestFinished(() => void vi.useRealTimers())
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() })
  for (const [seconds, whole] of [
    [3_590, true],
    [3_600, false],
  ] as const) {
    const { a } = await admin()
    const reading = interrupted(a, async () => vi.setSystemTime(Date.now() + seconds * 1000))
    await (whole ? reading : expect(reading).rejects.toThrow())
  }
})

test('[EX5] runs four exports and imports at a time, and takes another once one has ended', async () => {
  onTestFinished(() => void vi.useRealTimers())
  const { a } = await admin()
  await a.sync({ changes: puts(0, 500, 'v'.repeat(2000)) })
  const readers = []
  for (let count = 0; count < 4; count++) readers.push((await download(a)).body?.getReader())
  for (const reader of readers) await reader?.read()
  const refused = await a.get('/api/export')
  expect(refused.body).toMatchObject({ status: 503, code: 'busy' })
  expect(refused.headers.get('retry-after')).toBe('30')
  const headers = { authorization: `Bearer ${a.session}`, 'content-type': 'application/x-ndjson' }
  const importing = await call('/api/import', { method: 'POST', headers, body: '{}' })
  expect(await importing.json()).toMatchObject({ code: 'busy' })
  await readers[0]?.cancel()
  expect((await lines(await download(a))).at(-1)).toMatchObject({ type: 'end', entries: 500 })
  expect((await lines(await download(a))).at(-1)).toMatchObject({ type: 'end', entries: 500 })
  expect((await a.get('/api/status')).status).toBe(200)
  await Promise.all(readers.slice(1).map((reader) => reader?.cancel()))
})

test('[TK6] breaks off an export when the overlap of its token ends, and not before', async () => {
  onTestFinished(() => void vi.useRealTimers())
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() })
  for (const [waited, whole] of [
    [59_999, true],
    [60_000, false],
  ] as const) {
    const { token, id } = await mint({ space: crypto.randomUUID(), scopes: ALL })
    const reading = interrupted(await device({ token }), async () => {
      await send('POST', `/api/tokens/${id}/rotate`, {
        body: { overlapSeconds: 60 },
        bearer: env.ADMIN_TOKEN,
      })
      vi.setSystemTime(Date.now() + waited)
    })
    await (whole ? reading : expect(reading).rejects.toThrow())
  }
})

test('[EX4] continues an export when tombstones from before it are dropped', async () => {
  const { space, a } = await admin()
  await a.sync({ changes: puts(0, 2) })
  await a.sync({ changes: [{ key: 'k/0', deleted: true, timestamp: T + 1 }] })
  await age(space, 91)
  const state = await runInDurableObject(env.CHRONICLE.getByName(space), (_, { storage }) =>
    storage.sql.exec(`SELECT value FROM meta WHERE name = 'floor'`).one(),
  )
  expect(state.value).toBe(3)
  expect(await lines(await download(a))).toMatchObject([{}, { key: 'k/1' }, { type: 'end', entries: 1 }])
})
