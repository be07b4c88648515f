import { env } from 'cloudflare:workers'
import { afterEach, expect, onTestFinished, test, vi } from 'vitest'
import { MAX_ARRIVING_BYTES, MAX_BODY_BYTES, MIN_BODY_BYTES } from '../../../worker/src/core/values/limits.ts'
import { handle } from '../../../worker/src/http/edge.ts'
import { readBody } from '../../../worker/src/http/exchange/body.ts'
import { lineReader } from '../../../worker/src/objects/transfer/line-reader.ts'

afterEach(() => vi.useRealTimers())

/** Makes a body of `bytes` bytes that arrives in parts, one every `every` ms. */
function drip(bytes: number, { part, every }: { part: number; every: number }): ReadableStream<Uint8Array> {
  let sent = 0
  return new ReadableStream({
    // The body of a request from the network is a stream of bytes too.
    type: 'bytes',
    async pull(stream) {
      await new Promise((resolve) => setTimeout(resolve, every))
      const next = Math.min(part, bytes - sent)
      sent += next
      if (next > 0) stream.enqueue(new Uint8Array(next).fill(0x78))
      if (sent < bytes) return
      stream.close()
      stream.byobRequest?.respond(0)
    },
  })
}

function reading(
  body: ReadableStream<Uint8Array>,
  { declared, endsAt }: { declared?: number; endsAt?: number } = {},
) {
  const length = declared === undefined ? {} : { 'content-length': String(declared) }
  const headers = { 'content-type': 'application/json', ...length }
  const request = new Request('https://sync.example', { method: 'POST', headers, body })
  return readBody(request, endsAt).then(
    (text) => text.length,
    ({ code, status }) => `${status} ${code}`,
  )
}

async function after<T>(ms: number, work: Promise<T>): Promise<T | 'waiting'> {
  await vi.advanceTimersByTimeAsync(ms)
  return Promise.race([work, new Promise<'waiting'>((resolve) => queueMicrotask(() => resolve('waiting')))])
}

function fakeTime(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] })
}

test('[ER10] waits for a slow line as long as 10 KiB arrive in ten seconds, whatever the size', async () => {
  fakeTime()
  // 128 kbit/s: 16,000 bytes a second, in parts as a modem has them; the largest body takes a minute.
  const slow = reading(drip(MAX_BODY_BYTES, { part: 1600, every: 100 }), { declared: MAX_BODY_BYTES })
  expect(await after(60_000, slow)).toBe('waiting')
  expect(await after(6_000, slow)).toBe(MAX_BODY_BYTES)
  const least = reading(drip(100 * 1024, { part: MIN_BODY_BYTES, every: 9_900 }))
  expect(await after(99_100, least)).toBe(100 * 1024)
})

test('[ER10] gives up a body that stalls or drips after ten seconds, declared or not', async () => {
  fakeTime()
  for (const declared of [MAX_BODY_BYTES, MIN_BODY_BYTES, undefined]) {
    const size = declared === undefined ? {} : { declared }
    const dripping = reading(drip(MIN_BODY_BYTES, { part: 1, every: 9_000 }), size)
    expect(await after(9_900, dripping)).toBe('waiting')
    expect(await after(200, dripping)).toBe('408 body-timeout')
  }
  const almost = reading(drip(100 * 1024, { part: MIN_BODY_BYTES - 1, every: 9_900 }))
  expect(await after(10_100, almost)).toBe('408 body-timeout')
  const stalls = reading(drip(100 * 1024, { part: 50 * 1024, every: 11_000 }))
  expect(await after(10_100, stalls)).toBe('408 body-timeout')
  // The last part may be less than 10 KiB.
  const short = reading(drip(MIN_BODY_BYTES + 10, { part: MIN_BODY_BYTES, every: 9_900 }))
  expect(await after(19_900, short)).toBe(MIN_BODY_BYTES + 10)
})

test('[SC14] reads a body that is there in few steps, each with one deadline', async () => {
  const timers = vi.spyOn(globalThis, 'setTimeout')
  onTestFinished(() => void timers.mockRestore())
  for (const [size, most] of [
    [MIN_BODY_BYTES, 1],
    [185_000, 8],
    [MAX_BODY_BYTES, 12],
  ] as const) {
    timers.mockClear()
    const headers = { 'content-type': 'application/json', 'content-length': String(size) }
    const body = 'x'.repeat(size)
    const request = new Request('https://sync.example', { method: 'POST', headers, body })
    expect((await readBody(request)).length).toBe(size)
    expect(timers.mock.calls.length, String(size)).toBeLessThanOrEqual(most)
  }
})

test('[ER10] waits for no body past the end of its session, nor past ten seconds without one', async () => {
  fakeTime()
  const endsAt = Date.now() + 25_000
  const ending = reading(drip(100 * 1024, { part: MIN_BODY_BYTES, every: 9_900 }), { endsAt })
  expect(await after(24_900, ending)).toBe('waiting')
  expect(await after(200, ending)).toBe('408 body-timeout')
  const body = drip(100 * 1024, { part: MIN_BODY_BYTES, every: 3_000 })
  const headers = { 'content-type': 'application/json' }
  const request = new Request('https://sync.example/api/auth', { method: 'POST', headers, body })
  const attempt = handle(request, env).then(({ status }) => status)
  expect(await after(9_900, attempt)).toBe('waiting')
  await vi.advanceTimersByTimeAsync(200)
  expect(await attempt).toBe(408)
})

test('[ER10] limits the memory of slow bodies: past their share the slow ones are given up', async () => {
  fakeTime()
  const part = MAX_BODY_BYTES - MIN_BODY_BYTES
  const count = Math.floor(MAX_ARRIVING_BYTES / part) + 1
  const slow = Array.from({ length: count }, () => reading(drip(MAX_BODY_BYTES, { part, every: 6_000 })))
  const waiting = Promise.all(slow)
  expect(await after(6_100, waiting)).toBe('waiting')
  const quick = reading(drip(MAX_BODY_BYTES, { part: part / 2, every: 1_000 }))
  expect(await after(3_100, quick)).toBe(MAX_BODY_BYTES)
  // Giving one up makes room for the others.
  expect(new Set(await after(3_000, waiting))).toEqual(new Set([MAX_BODY_BYTES, '408 body-timeout']))
  const alone = reading(drip(MAX_BODY_BYTES, { part, every: 6_000 }))
  expect(await after(12_100, alone)).toBe(MAX_BODY_BYTES)
})

test('[IM8] ends an import whose lines drip, but not one of slow lines or of a busy space', async () => {
  fakeTime()
  const lines = (body: ReadableStream<Uint8Array>) => lineReader(body.getReader(), 1, Date.now)
  const next = (read: ReturnType<typeof lines>) =>
    read().then((read) => (read.ok ? read.value.length : read.fault.code))
  expect(await after(10_100, next(lines(drip(1_000, { part: 1, every: 9_000 }))))).toBe('body-timeout')
  const slow = lines(drip(100 * 1024, { part: 1_600, every: 100 }))
  expect(await after(30_000, next(slow))).toBe(1)
  const line = new TextEncoder().encode(`${'x'.repeat(1_000)}\n`)
  const busy = lines(
    new ReadableStream({
      async pull(stream) {
        await new Promise((resolve) => setTimeout(resolve, 6_000))
        stream.enqueue(line)
        for (let count = 0; count < 600; count++) stream.enqueue(line)
      },
    }),
  )
  expect(await after(6_100, next(busy))).toBe(500)
  await vi.advanceTimersByTimeAsync(60_000)
  expect(await after(6_100, next(busy))).toBe(500)
})
