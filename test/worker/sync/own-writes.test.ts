import { expect, test } from 'vitest'
import { newSpace, type Reply } from '../../support/worker/client.ts'
import { follow } from '../../support/worker/follower.ts'

const T = Date.now() - 60_000

test('[FE12] returns the writes of the request itself under `echo`, over HTTP and on a socket', async () => {
  const { a, b } = await newSpace()
  const { cursor } = (await a.sync({ changes: [], cursor: null })).body
  await b.sync({ changes: [{ key: 'n/1', value: 'theirs', timestamp: T }] })
  const change = (key: string) => ({ key, value: 'mine', timestamp: T, base: null })
  const keysOf = ({ changes }: { changes: { key: string }[] }) => changes.map(({ key }) => key)
  const plain = await a.sync({ changes: [change('n/2')], cursor })
  expect(keysOf(plain.body)).toEqual(['n/1'])
  const echoed = await a.sync({ changes: [change('n/3')], cursor: plain.body.cursor, echo: true })
  expect(keysOf(echoed.body)).toEqual(['n/3'])
  expect(echoed.body.changes[0].version).toBe(echoed.body.results[0].version)
  expect(keysOf((await a.sync({ changes: [], cursor: echoed.body.cursor, echo: true })).body)).toEqual([])
  const silent = await a.sync({ changes: [change('n/4')], echo: true })
  expect(silent.body).toMatchObject({ changes: [] })
  expect(silent.body).not.toHaveProperty('cursor')
  const socket = await follow(a)
  await socket.next()
  const body = { changes: [change('n/5')], cursor: echoed.body.cursor, echo: true }
  socket.say({ type: 'push', id: 'e', body })
  expect(keysOf((await socket.next()).body)).toEqual(['n/4', 'n/5'])
  expect((await a.sync({ changes: [], echo: 1 })).body).toMatchObject({ code: 'invalid-request' })
})

/** Applies a reply to a client's copy of one entry, in the order of FE11. */
function laidOn(
  copy: unknown,
  { changes: sent }: { changes: readonly { value: unknown }[] },
  { body }: Reply,
): unknown {
  const results = body.replayed ? [] : sent.map(({ value }) => value)
  const changes = body.changes.map(({ value }: { value: unknown }) => value)
  return [copy, ...results, ...changes].at(-1)
}

test("[FE11] leaves a client's copy correct if it ignores results that were not applied", async () => {
  const { a, b } = await newSpace()
  const { body: first } = await a.sync({
    changes: [{ key: 'n/1', value: 1, timestamp: T, base: null }],
    cursor: null,
  })
  await b.sync({ changes: [{ key: 'n/1', value: 'theirs', timestamp: T + 1, base: first.head }] })
  const request = {
    batch: 1,
    cursor: first.cursor,
    changes: [{ key: 'n/1', value: 'mine', timestamp: T, base: first.head }],
  }
  const reply = await a.sync(request)
  expect(reply.body.results).toMatchObject([{ status: 'superseded' }])
  expect(reply.body.changes).toMatchObject([{ value: 'theirs' }])
  const merged = { ...request, batch: 2, cursor: reply.body.cursor }
  const lost = await a.sync(merged)
  expect(lost.body).toMatchObject({ results: [{ status: 'superseded' }], changes: [] })
})

test.each(['before it pulled', 'after it pulled'])(
  '[FE11] leaves the copy of a client correct that applies only the changes of a replay: it repeats a batch %s',
  async (when) => {
    const { a, b } = await newSpace()
    const request = {
      batch: 1,
      cursor: null as string | null,
      changes: [{ key: 'n/1', value: 'mine', timestamp: T, base: null }],
    }
    const { results } = (await a.sync(request)).body
    // The reply is lost. Then another device writes.
    await b.sync({ changes: [{ key: 'n/1', value: 'newer', timestamp: T, base: results[0].version }] })
    let copy: unknown
    if (when === 'after it pulled') {
      const pulled = (await a.sync({ changes: [], cursor: null })).body
      copy = pulled.changes[0].value
      request.cursor = pulled.cursor
    }
    const reply = await a.sync(request)
    expect(reply.body).toMatchObject({ replayed: true, results })
    expect(laidOn(copy, request, reply)).toBe('newer')
    expect((await a.sync({ changes: [], cursor: reply.body.cursor })).body.changes).toEqual([])
  },
)
