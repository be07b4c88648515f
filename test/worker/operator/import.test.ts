import { evictDurableObject, runDurableObjectAlarm } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { Session } from '../../../worker/src/core/access/session.ts'
import type { Fault } from '../../../worker/src/core/fault.ts'
import type { Result } from '../../../worker/src/core/values/result.ts'
import type { Space } from '../../../worker/src/objects/space/space.ts'
import { importSpace } from '../../../worker/src/objects/transfer/import.ts'
import { whileSealing, within } from '../../support/worker/ageing.ts'
import { call, type Device, device, mint, send } from '../../support/worker/client.ts'
import { until } from '../../support/worker/follower.ts'
import { ALL, exportOf, linesOf, newSpace, upload } from '../../support/worker/imports.ts'

const T = Date.now() - 60_000

interface Entry {
  readonly key: string
  readonly value?: unknown
  readonly timestamp: number
  readonly by: string
}

async function download({ session }: Device): Promise<string> {
  const response = await call('/api/export', { headers: { authorization: `Bearer ${session}` } })
  return new TextDecoder().decode(await response.arrayBuffer())
}

/** Reads the content of a space without its own versions. */
async function state(by: Device): Promise<readonly Entry[]> {
  const entries: Entry[] = []
  for (let [cursor, more] = [null as string | null, true]; more; ) {
    const { body } = await by.sync({ changes: [], cursor })
    for (const { key, value, timestamp, by } of body.changes) entries.push({ key, value, timestamp, by })
    cursor = body.cursor
    more = body.more
  }
  return entries
}

/** Exports 1,300 entries of two clients; returns the text and the content. */
async function exported(): Promise<{ text: string; entries: readonly Entry[]; from: Device }> {
  const space = crypto.randomUUID()
  const { token } = await mint({ space, scopes: ALL })
  const devices = [await device({ token, clientId: 'a' }), await device({ token, clientId: 'b' })] as const
  for (let start = 0; start < 1300; start += 100) {
    const changes = Array.from({ length: 100 }, (_, n) => {
      return { key: `k/${start + n}`, value: { n, text: 'ключ\n'.repeat(n % 9) }, timestamp: T + n }
    })
    await devices[(start / 100) % 2 === 0 ? 0 : 1].sync({ changes })
  }
  const [from] = devices
  return { text: await download(from), entries: await state(from), from }
}

test('[IM1] fills an empty space from an export: same entries, times and clients, versions of its own', async () => {
  const { text, entries, from } = await exported()
  const { space, a } = await newSpace()
  const reply = await upload(a, text)
  expect(reply.body).toEqual({ success: true, line: 1302, entries: 1300, finished: true, edited: false })
  expect(await state(a)).toEqual(entries)
  const [source, target] = [await from.get('/api/status'), await a.get('/api/status')]
  expect(target.body.entries).toBe(source.body.entries)
  expect(target.body.epoch).not.toBe(source.body.epoch)
  await evictDurableObject(env.CHRONICLE.getByName(space))
  expect(await state(a)).toEqual(entries)
  const { body } = await a.sync({
    changes: [{ key: 'k/0', value: 1, timestamp: T - 1, base: null }],
    cursor: null,
  })
  expect(body.conflicts).toMatchObject([{ key: 'k/0', winner: { by: 'a' } }])
  const again = await newSpace()
  await upload(again.a, await download(a))
  expect(await state(again.a)).toEqual(entries)
})

test('[IM1] takes no write from before an import for the next one of its client', async () => {
  const { a } = await newSpace()
  await upload(a, exportOf([{ key: 'k', value: 'imported', timestamp: T }]))
  const same = await device({ token: a.token, clientId: 'a' })
  const { body } = await same.sync({ changes: [{ key: 'k', value: 'older', timestamp: T - 1, base: null }] })
  expect(body).toMatchObject({
    results: [{ status: 'superseded' }],
    conflicts: [{ loser: { value: 'older' } }],
  })
})

test('[IM10] reports whether the space was written to since, if an import is repeated', async () => {
  const { a } = await newSpace()
  const text = exportOf([
    { key: 'k/1', value: 1 },
    { key: 'k/2', value: 2 },
    { key: 'k/1', value: 3 },
  ])
  const header = `${linesOf(text)[0]}\n`
  expect((await upload(a, header)).body).toMatchObject({ finished: false, edited: false })
  expect((await upload(a, text)).body).toMatchObject({ finished: true, edited: false })
  for (const sent of [text, header]) {
    expect((await upload(a, sent)).body).toMatchObject({ entries: 2, finished: true, edited: false })
  }
  await a.sync({ changes: [{ key: 'k/2', deleted: true, timestamp: T }] })
  for (const sent of [text, header, text]) {
    expect((await upload(a, sent)).body).toMatchObject({ entries: 1, finished: true, edited: true })
  }
  expect((await a.get('/api/entries?key=k/2')).status).toBe(404)
})

test('[IM2] uses the last line of a key, and removes it for a deletion', async () => {
  const lines = [
    { key: 'twice', value: 1 },
    { key: 'gone', value: 1 },
    { key: 'twice', value: 2, timestamp: 6, by: 'b' },
    { key: 'gone', deleted: true },
    { key: 'never', deleted: true },
  ]
  const { a } = await newSpace()
  const far = Array.from({ length: 600 }, (_, n) => ({ key: `k/${n}`, value: n }))
  const again = [
    { key: 'k/0', value: 'again' },
    { key: 'k/1', deleted: true },
  ]
  const last = Array.from({ length: 600 }, (_, n) => ({ key: `z/${n}`, value: n }))
  const reply = await upload(a, exportOf([...lines, ...far, ...again, ...last]))
  expect(reply.body).toMatchObject({ entries: 1200, finished: true })
  const entries = await state(a)
  expect(entries).toHaveLength(1200)
  expect(entries[0]).toEqual({ key: 'twice', value: 2, timestamp: 6, by: 'b' })
  expect(entries.filter(({ key }) => ['gone', 'never', 'k/1'].includes(key))).toEqual([])
  expect(entries.find(({ key }) => key === 'k/0')).toMatchObject({ value: 'again' })
  expect((await a.get('/api/status')).body.entries).toBe(1200)
})

test('[IM2] counts correctly after deletions alone', async () => {
  const { space, a } = await newSpace()
  const puts = Array.from({ length: 499 }, (_, n) => ({ key: `k/${n}`, value: n }))
  const text = exportOf([...puts, { key: 'k/1', deleted: true }, { key: 'k/2', deleted: true }])
  expect((await upload(a, text)).body).toMatchObject({ entries: 497, finished: true })
  await evictDurableObject(env.CHRONICLE.getByName(space))
  expect((await a.get('/api/status')).body.entries).toBe(497)
  expect(await runDurableObjectAlarm(env.CHRONICLE.getByName(space))).toBe(true)
  expect(await state(a)).toHaveLength(497)
})

test('[IM3] fills only an empty space, and from one export', async () => {
  const { text, from } = await exported()
  expect((await upload(from, text)).body).toMatchObject({ status: 409, code: 'not-empty' })
  const { a } = await newSpace()
  await upload(a, linesOf(text).slice(0, 900).join('\n'))
  expect((await upload(a, exportOf([]))).body.code).toBe('not-empty')
  await upload(a, text)
  expect((await upload(a, exportOf([]))).body.code).toBe('not-empty')
})

test('[IM4] continues an import that was cut off, sent again whole or from a line on', async () => {
  const { text, entries } = await exported()
  const lines = linesOf(text)
  const { space, a } = await newSpace()
  const part = (from: number, to?: number) => lines.slice(from - 1, to).join('\n')
  expect((await upload(a, part(1, 700))).body).toMatchObject({ line: 700, entries: 699, finished: false })
  await evictDurableObject(env.CHRONICLE.getByName(space))
  expect((await upload(a, part(1, 750))).body).toMatchObject({ line: 750 })
  expect((await upload(a, part(752), '?line=752')).body).toMatchObject({ code: 'import-gap', expected: 751 })
  expect((await upload(a, part(751, 1000), '?line=751')).body).toMatchObject({ line: 1000, finished: false })
  expect((await upload(a, part(900), '?line=900')).body).toMatchObject({ line: 1302, finished: true })
  expect((await upload(a, text)).body).toEqual({
    success: true,
    line: 1302,
    entries: 1300,
    finished: true,
    edited: false,
  })
  expect((await upload(a, part(1302), '?line=1302')).body.finished).toBe(true)
  expect(await state(a)).toEqual(entries)
  const other = await newSpace()
  expect((await upload(other.a, part(2), '?line=2')).body).toMatchObject({ code: 'import-gap', expected: 1 })
  expect((await upload(other.a, '')).body).toEqual({
    success: true,
    line: 0,
    entries: 0,
    finished: false,
    edited: false,
  })
})

test('[IM4] stores each line of two concurrent imports once', async () => {
  const { text, entries } = await exported()
  const { space, a } = await newSpace()
  await upload(a, linesOf(text).slice(0, 100).join('\n'))
  const session = { id: 'i', token: 't', subject: 's', space, client: 'c', collections: null, expiresAt: 4e9 }
  const operator: Session = { ...session, scopes: ['space:admin'], issuedAt: Date.now() }
  const again = (open: Space) =>
    importSpace(open, operator, {
      body: new Blob([text]).stream(),
      line: 1,
      now: Date.now(),
      clock: Date.now,
    })
  const [slower, faster] = await within(space, async (open) => {
    const meanwhile = Promise.withResolvers<Result<string, Fault>>()
    await whileSealing(open, async () => meanwhile.resolve(await again(open)))
    return [await again(open), await meanwhile.promise]
  })
  expect(faster.ok && JSON.parse(faster.value)).toMatchObject({ line: 1302, finished: true })
  expect(slower).toMatchObject({ fault: { code: 'import-gap', expected: 1303 } })
  expect(await state(a)).toEqual(entries)
  expect((await a.get('/api/status')).body.head.split('.')[1]).toBe('1300')
})

test('[IM5] closes the space while an import is unfinished, and abandons the import on erasure', async () => {
  const { text } = await exported()
  const { space, a } = await newSpace()
  await upload(a, linesOf(text).slice(0, 600).join('\n'))
  for (const reply of [
    await a.sync({ changes: [{ key: 'k/1', value: 1, timestamp: T }] }),
    await a.get('/api/changes'),
    await a.get('/api/status'),
    await a.get('/api/export'),
    await a.get('/api/entries?key=k/1'),
  ]) {
    expect(reply.body).toMatchObject({ status: 503, code: 'importing' })
    expect(reply.headers.get('retry-after')).toBe('10')
  }
  expect((await send('POST', '/api/auth', { body: { token: a.token } })).status).toBe(200)
  await send('DELETE', '/api/space', { bearer: a.session, body: { confirm: space } })
  const next = await device(await mint({ space, scopes: ALL }))
  expect(await state(next)).toEqual([])
  expect((await upload(next, text)).body.finished).toBe(true)
})

test('[IM9] stops an import once its session has expired, and keeps the lines that arrived', async () => {
  const { text } = await exported()
  const { space, a } = await newSpace()
  onTestFinished(() => void vi.useRealTimers())
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() })
  const bytes = new TextEncoder().encode(text)
  const half = Math.floor(bytes.length / 2)
  const body = new ReadableStream({
    async start(stream) {
      stream.enqueue(bytes.slice(0, half))
      await until(async () => (await a.get('/api/status')).body.code === 'importing')
      vi.setSystemTime(Date.now() + 3_600_000)
      stream.enqueue(bytes.slice(half))
      stream.close()
    },
  })
  expect((await upload(a, body)).body).toMatchObject({ status: 401, code: 'session-expired' })
  const next = await device(await mint({ space, scopes: ALL }))
  expect((await upload(next, text)).body).toMatchObject({ finished: true, entries: 1300 })
})
