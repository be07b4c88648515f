import { evictDurableObject, runDurableObjectAlarm } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { Session } from '../../worker/src/core/access/session.ts'
import type { Fault } from '../../worker/src/core/fault.ts'
import type { Result } from '../../worker/src/core/values/result.ts'
import type { Space } from '../../worker/src/objects/space/space.ts'
import { importSpace } from '../../worker/src/objects/transfer/import.ts'
import { lineReader } from '../../worker/src/objects/transfer/line-reader.ts'
import { whileSealing, within } from './ageing.ts'
import { call, type Device, device, mint, type Reply, send } from './client.ts'
import { until } from './follower.ts'

const T = Date.now() - 60_000
const ALL = ['sync:read', 'sync:write', 'space:admin']

interface Entry {
  readonly key: string
  readonly value?: unknown
  readonly timestamp: number
  readonly by: string
}

async function newSpace(): Promise<{ space: string; a: Device }> {
  const space = crypto.randomUUID()
  return { space, a: await device(await mint({ space, scopes: ALL })) }
}

async function download({ session }: Device): Promise<string> {
  const response = await call('/api/export', { headers: { authorization: `Bearer ${session}` } })
  return new TextDecoder().decode(await response.arrayBuffer())
}

async function upload(to: Device, body: BodyInit, query = '', type = 'application/x-ndjson'): Promise<Reply> {
  const headers = { authorization: `Bearer ${to.session}`, 'content-type': type }
  const response = await call(`/api/import${query}`, { method: 'POST', headers, body })
  return { status: response.status, headers: response.headers, body: await response.json() }
}

/** What a space holds, but for what is its own: versions. */
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

/** An export of two clients' entries, 1,300 of them, and what it holds. */
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

function linesOf(text: string): string[] {
  return text.trimEnd().split('\n')
}

/** An export with these entries between header and end. */
function exportOf(entries: readonly object[]): string {
  const header = {
    type: 'header',
    format: 'chronicle-export',
    version: 1,
    space: 's',
    epoch: 'e',
    head: 'e.9',
  }
  const filled = entries.map((entry) => ({ timestamp: 5, version: 'e.1', by: 'a', ...entry }))
  const end = { type: 'end', entries: entries.length, cursor: 'e.9' }
  return [{ ...header, exportedAt: 1 }, ...filled, end].map((line) => `${JSON.stringify(line)}\n`).join('')
}

test('[IM1] an export fills an empty space: same entries, times and clients, versions of its own', async () => {
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

test('[IM1] no write from before an import is taken for the next one of its own client', async () => {
  const { a } = await newSpace()
  await upload(a, exportOf([{ key: 'k', value: 'imported', timestamp: T }]))
  const same = await device({ token: a.token, clientId: 'a' })
  const { body } = await same.sync({ changes: [{ key: 'k', value: 'older', timestamp: T - 1, base: null }] })
  expect(body).toMatchObject({
    results: [{ status: 'superseded' }],
    conflicts: [{ loser: { value: 'older' } }],
  })
})

test('[IM10] an import that is sent again says whether the space was written to since', async () => {
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

test('[IM2] the last line of a key counts, and a deletion removes it', async () => {
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

test('[IM2] deletions alone leave the right counts', async () => {
  const { space, a } = await newSpace()
  const puts = Array.from({ length: 499 }, (_, n) => ({ key: `k/${n}`, value: n }))
  const text = exportOf([...puts, { key: 'k/1', deleted: true }, { key: 'k/2', deleted: true }])
  expect((await upload(a, text)).body).toMatchObject({ entries: 497, finished: true })
  await evictDurableObject(env.CHRONICLE.getByName(space))
  expect((await a.get('/api/status')).body.entries).toBe(497)
  expect(await runDurableObjectAlarm(env.CHRONICLE.getByName(space))).toBe(true)
  expect(await state(a)).toHaveLength(497)
})

test('[IM3] only an empty space is filled, and with one export', async () => {
  const { text, from } = await exported()
  expect((await upload(from, text)).body).toMatchObject({ status: 409, code: 'not-empty' })
  const { a } = await newSpace()
  await upload(a, linesOf(text).slice(0, 900).join('\n'))
  expect((await upload(a, exportOf([]))).body.code).toBe('not-empty')
  await upload(a, text)
  expect((await upload(a, exportOf([]))).body.code).toBe('not-empty')
})

test('[IM4] an import that was cut off is sent again, whole or from a line on', async () => {
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

test('[IM4] of two imports at once each line is stored once', async () => {
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

test('[IM5] while an import is unfinished the space is closed; erasing it gives it up', async () => {
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

test('[IM9] an import goes no further once its session has expired; what came is in', async () => {
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

test('[IM6] a bad line is named, what came before it is in, and a mended file goes on', async () => {
  const good = linesOf(exportOf([{ key: 'k/1', value: 1 }]))
  const [header = '', entry = '', end = ''] = good
  const bad: [string[], number, RegExp][] = [
    [['{"type":"header"}'], 1, /format/],
    [[header.replace('"version":1', '"version":2')], 1, /version/],
    [[header, entry, 'x'], 3, /JSON/],
    [[header, entry, '{"key":1}'], 3, /key/],
    [[header, entry, entry.replace('k/1', '/')], 3, /invalid-key/],
    [[header, entry, entry.replace('"value":1', '"value":"\\ud800"')], 3, /lone-surrogate/],
    [[header, entry, entry.replace(',"value":1', '')], 3, /missing-value/],
    [
      [header, entry, entry.replace('"value":1', `"value":${'['.repeat(129)}${']'.repeat(129)}`)],
      3,
      /too-deep/,
    ],
    [[header, entry, entry.replace('"value":1', `"value":"${'x'.repeat(300_000)}"`)], 3, /value-too-large/],
    [[header, entry, 'x'.repeat(1_100_000)], 3, /longer than/],
    [[header, entry, end.replace('"entries":1', '"entries":2')], 3, /counts 2 entries, 1 came/],
    [[header, entry, end, entry], 4, /follows the end/],
  ]
  for (const [lines, line, detail] of bad) {
    const { body } = await upload((await newSpace()).a, lines.join('\n'))
    expect(body, lines.join('\n').slice(0, 300)).toMatchObject({ status: 422, code: 'invalid-line', line })
    expect(body.detail).toMatch(detail)
  }
  const { a } = await newSpace()
  const many = Array.from({ length: 600 }, (_, n) => entry.replace('k/1', `k/${n}`))
  expect((await upload(a, [header, ...many, 'x'].join('\n'))).body).toMatchObject({ line: 602 })
  const rest = [...many, end].slice(600).join('\n').replace('"entries":1', '"entries":600')
  expect((await upload(a, rest, '?line=603')).body).toMatchObject({ code: 'import-gap', expected: 602 })
  const mended = [header, ...many, end.replace('"entries":1', '"entries":600')].join('\n')
  expect((await upload(a, mended)).body).toMatchObject({ entries: 600, finished: true })
  expect((await upload((await newSpace()).a, new Uint8Array([0xff, 0x0a]))).body.code).toBe('not-utf8')
})

test('[IM7] takes space:admin, and NDJSON', async () => {
  const reader = await device()
  expect((await upload(reader, exportOf([]))).body.code).toBe('forbidden-scope')
  const { a } = await newSpace()
  expect((await upload(a, exportOf([]), '', 'application/json')).body).toMatchObject({
    code: 'unsupported-media-type',
  })
  expect((await upload(a, exportOf([]), '?line=0')).status).toBe(422)
})

test('[SC14] a file that is all line ends, or has a line with far too many fields, is refused like any bad line', async () => {
  const wide = JSON.stringify(Object.fromEntries(Array.from({ length: 80_000 }, (_, n) => [`f${n}`, 0])))
  const [header = ''] = linesOf(exportOf([]))
  for (const [file, line] of [
    ['\n'.repeat(2_000_000), 1],
    [`${header}${'\n'.repeat(2_000_000)}`, 2],
    [`${header}\n${wide}\n`, 2],
  ] as const) {
    const { body } = await upload((await newSpace()).a, file)
    expect(body).toMatchObject({ status: 422, code: 'invalid-line', line })
    expect(body.detail.length).toBeLessThan(200)
  }
})

test('[SC14] a part of any size is parted into lines', async () => {
  const part = new TextEncoder().encode('x\n'.repeat(1_000_000))
  const read = lineReader(new Blob([part]).stream().getReader(), 1, Date.now)
  const one = lineReader(
    new ReadableStream({ start: (stream) => stream.enqueue(part) }).getReader(),
    1,
    Date.now,
  )
  for (const lines of [await read(), await one()])
    expect(lines).toEqual({ ok: true, value: Array(500).fill('x') })
})

test('[IM11] what editors and pipes add to an export is passed over, in a part of it too', async () => {
  const deep = JSON.parse(`${'['.repeat(128)}${']'.repeat(128)}`)
  const entries = [{ value: 1, timestamp: 5.75 }, { value: deep }]
  const lines = linesOf(exportOf(entries.map((entry, n) => ({ key: `k/${n + 1}`, ...entry }))))
  const done = { finished: true, entries: 2, line: 4 }
  const files = [
    `\ufeff${lines.join('\n')}`,
    `\ufeff${lines.join('\r\n')}\r\n`,
    `${lines.join('\n')}\n\n`,
    `${lines.join('\r\n')}\r\n\r\n \t\r\n`,
    `${lines.join('\n')}${'\n'.repeat(101)}`,
    lines.map((line) => line.replace('{"type":', '{ "type": ')).join('\n'),
  ]
  for (const file of files) {
    const { a } = await newSpace()
    expect((await upload(a, file)).body, JSON.stringify(file.slice(-30))).toMatchObject(done)
    // Sent again, whole or from its first line on.
    expect((await upload(a, file, '?line=1')).body).toMatchObject(done)
    expect((await a.get('/api/entries?key=k/1')).body).toMatchObject({ value: 1, timestamp: 5 })
  }
  const { a } = await newSpace()
  await upload(a, `\ufeff${lines.slice(0, 2).join('\n')}\n\n`)
  expect((await upload(a, `\ufeff${lines.slice(2).join('\n')}\n\n`, '?line=3')).body).toMatchObject(done)
  const bytes = new TextEncoder().encode(`\ufeff${lines.join('\r\n')}\r\n\r\n`)
  const drops = new ReadableStream({
    start(stream) {
      for (const byte of bytes) stream.enqueue(Uint8Array.of(byte))
      stream.close()
    },
  })
  expect((await upload((await newSpace()).a, drops)).body).toMatchObject(done)
})

test('[IM11] a blank line before another is a bad one, and so are far too many at the end', async () => {
  const lines = linesOf(exportOf([{ key: 'k/1', value: 1 }]))
  const [header, entry, end] = lines
  for (const [file, line] of [
    [[header, '', entry, end].join('\n'), 2],
    [['', header, entry, end].join('\n'), 1],
    [[header, entry, '\r', end].join('\n'), 3],
    [`${lines.join('\n')}${'\n'.repeat(102)}`, 4],
    [[header, entry, `\ufeff\ufeff${end}`].join('\n'), 3],
  ] as const) {
    const { body } = await upload((await newSpace()).a, file)
    expect(body, JSON.stringify(file)).toMatchObject({ code: 'invalid-line', line })
  }
})
