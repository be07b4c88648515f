import { expect, test } from 'vitest'
import { device, mint, send } from '../../support/worker/client.ts'
import { currentValue, POLICIES, T, write } from '../../support/worker/divergence.ts'

test('[AU7] shows a token without sync:read nothing that other clients wrote', async () => {
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

/** Makes a writer that may not read, in a space in which another client has written under every policy. */
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

/** Ways to write over an unseen value. */
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
  '[AU7] replies to a right guess of a writer that may not read as to a wrong one: %s',
  async (_what, more, around = {}) => {
    const [right, wrong] = await Promise.all(
      [1234, 9999].map(async (pin) => {
        const { owner, writer, keys } = await blindWriter()
        const value = secretOf(pin)
        const guesses = keys.map((key) => ({ key, value, ...more(value) }))
        // The version of a write shows its client how many were stored before.
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

test('[AU7] lets a writer that may not read base writes on its own, and retry them', async () => {
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

test('[CF7] refuses a decision on a conflict that the session may not see', async () => {
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

test('[FE7] shows in a replay only what its session may see now', async () => {
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

test('[SY12] applies a batch in its order, whatever its times and bases, without a conflict with itself', async () => {
  const a = await device()
  const { body } = await a.sync({
    changes: [
      { key: 'l/1', value: 1, timestamp: T + 9 },
      { key: 'l/1', value: 2, timestamp: T },
      { key: 'l/1', value: 3, timestamp: T, base: 'other.1' },
    ],
  })
  expect(body.conflicts).toEqual([])
  expect(await currentValue(a, 'l/1')).toBe(3)
})

test('[BA6] recognizes a repeated batch without a number that wrote a key twice', async () => {
  const a = await device()
  const changes = [
    { key: 'l/1', value: 1, timestamp: T },
    { key: 'l/1', value: 2, timestamp: T + 1 },
  ]
  const { head } = (await a.sync({ changes })).body
  const again = (await a.sync({ changes })).body
  expect(again).toMatchObject({ conflicts: [], head, results: [{ status: 'noop' }, { status: 'noop' }] })
})

test('[AU6] refuses other subjects the name of a client that numbers its batches, numbered or not', async () => {
  const { token, space } = await mintBoth()
  await (await device({ token, clientId: 'a' })).sync({ batch: 1, changes: [] })
  const other = await device({ ...(await mint({ space })), clientId: 'a' })
  const { body } = await other.sync({ changes: [{ key: 'l/1', value: 1, timestamp: T }] })
  expect(body.code).toBe('foreign-client')
  expect((await other.get('/api/status')).body.entries).toBe(0)
})
