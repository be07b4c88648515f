import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { call, type Device, device, mint, send } from '../../support/worker/client.ts'

const T = Date.now() - 60_000
const ALL = ['sync:read', 'sync:write', 'space:admin']

interface Entry {
  readonly key: string
  readonly value?: unknown
  readonly deleted?: boolean
  readonly timestamp: number
  readonly version: string
}

async function openSpace(): Promise<{ space: string; phone: Device }> {
  const space = crypto.randomUUID()
  const { token } = await mint({ space, scopes: ALL })
  return { space, phone: await device({ token, clientId: 'phone' }) }
}

async function exportOf({ session }: Device): Promise<string> {
  const response = await call('/api/export', { headers: { authorization: `Bearer ${session}` } })
  return response.text()
}

/** Erases a space, fills it from an export, and gives its phone a new token. */
async function restore(space: string, phone: Device, text: string): Promise<Device> {
  expect(
    (await send('DELETE', '/api/space', { bearer: phone.session, body: { confirm: space } })).status,
  ).toBe(200)
  const again = await device({ token: (await mint({ space, scopes: ALL })).token, clientId: 'phone' })
  const headers = { authorization: `Bearer ${again.session}`, 'content-type': 'application/x-ndjson' }
  expect((await call('/api/import', { method: 'POST', headers, body: text })).status).toBe(200)
  return again
}

/** The latest entry of each key that a device knows, and its cursor. */
interface Copy {
  readonly entries: Map<string, Entry>
  readonly cursor: string
  readonly resetReason: string | undefined
}

/** Reads the feed from a cursor to its end. */
async function follow(phone: Device, from: string | null, entries = new Map<string, Entry>()): Promise<Copy> {
  const { body } = await phone.sync({ changes: [], cursor: from, limit: 2 })
  for (const entry of body.changes as Entry[]) entries.set(entry.key, entry)
  const rest = body.more ? await follow(phone, body.cursor, entries) : { entries, cursor: body.cursor }
  return { ...rest, resetReason: body.resetReason }
}

test('[RE2] accepts the base of a waiting edit while the space is the same', async () => {
  const { phone } = await openSpace()
  const { body } = await phone.sync({ changes: [{ key: 'notes/1', value: 1, timestamp: T }], cursor: null })
  const edit = { key: 'notes/1', value: 2, timestamp: T + 1, base: body.results[0].version }
  const narrowed = { changes: [edit], cursor: body.cursor, collections: ['notes'] }
  expect((await phone.sync(narrowed)).body).toMatchObject({
    reset: true,
    resetReason: 'filter',
    results: [{ status: 'applied' }],
    conflicts: [],
    changes: [{ key: 'notes/1', value: 2 }],
  })
})

test('[RE3] gets back from its device what was acknowledged after the export', async () => {
  const { space, phone } = await openSpace()
  const written = ['k/1', 'k/2', 'k/3'].map((key) => ({ key, value: 'saved', timestamp: T }))
  await phone.sync({ batch: 1, changes: written })
  const backup = await exportOf(phone)
  const later = [
    { key: 'k/2', value: 'edited after the back-up', timestamp: T + 1 },
    { key: 'k/4', value: 'made after the back-up', timestamp: T + 1 },
    { key: 'k/3', deleted: true, timestamp: T + 1 },
  ]
  expect((await phone.sync({ batch: 2, changes: later })).body.success).toBe(true)
  const mine = await follow(phone, null)

  const again = await restore(space, phone, backup)
  const laptop = await device({ token: again.token, clientId: 'laptop' })
  await laptop.sync({
    changes: [{ key: 'k/1', value: 'edited since', timestamp: T + 9, baseValue: 'saved' }],
  })
  const theirs = await follow(again, mine.cursor)
  expect(theirs.resetReason).toBe('epoch')
  expect([...theirs.entries.keys()].sort()).toEqual(['k/1', 'k/2', 'k/3'])
  const offered = [...mine.entries.values()]
    .map((entry) => ({ ...entry, found: theirs.entries.get(entry.key) }))
    .filter(({ deleted, timestamp, found }) => !deleted && timestamp > (found?.timestamp ?? -1))
    .map(({ key, value, timestamp, found }) => ({ key, value, timestamp, base: found?.version ?? null }))
  const { body } = await again.sync({ batch: 1, changes: offered })
  expect(body.results).toMatchObject([
    { key: 'k/2', status: 'applied' },
    { key: 'k/4', status: 'applied' },
  ])
  expect(body.conflicts).toEqual([])
  const { entries } = await follow(again, null)
  expect(Object.fromEntries([...entries].map(([key, { value }]) => [key, value]))).toEqual({
    'k/1': 'edited since',
    'k/2': 'edited after the back-up',
    'k/3': 'saved',
    'k/4': 'made after the back-up',
  })
})

test('[RE3] loses no side if a device offers another value of an equal time without a base, as a merge may have', async () => {
  const { space, phone } = await openSpace()
  await phone.sync({ batch: 1, changes: [{ key: 'k', value: { x: 1, y: 0 }, timestamp: T }] })
  const backup = await exportOf(phone)
  await phone.sync({
    batch: 2,
    changes: [{ key: 'k', value: { x: 1, y: 1 }, timestamp: T, baseValue: { x: 1, y: 0 } }],
  })
  const again = await restore(space, phone, backup)
  const laptop = await device({ token: again.token, clientId: 'laptop' })
  const offered = { key: 'k', value: { x: 1, y: 1 }, timestamp: T }
  const { body } = await laptop.sync({ batch: 1, changes: [offered] })
  expect(body.results[0].status).toMatch(/^(applied|superseded)$/)
  const [{ winner, loser }] = body.conflicts
  expect([winner.value, loser.value]).toEqual(
    expect.arrayContaining([
      { x: 1, y: 0 },
      { x: 1, y: 1 },
    ]),
  )
})

test('[RE4] accepts the base value of an edit that waited through a restore', async () => {
  const { space, phone } = await openSpace()
  const { body: first } = await phone.sync({ batch: 1, changes: [{ key: 'k', value: 'seen', timestamp: T }] })
  const again = await restore(space, phone, await exportOf(phone))
  const edit = { key: 'k', value: 'edited offline', timestamp: T + 1 }
  const byVersion = await again.sync({ changes: [{ ...edit, base: first.results[0].version }] })
  expect(byVersion.body.conflicts).toHaveLength(1)
  const further = { key: 'k', value: 'edited again', timestamp: T + 2, baseValue: 'edited offline' }
  const byValue = await again.sync({ batch: 1, changes: [further] })
  expect(byValue.body).toMatchObject({ results: [{ status: 'applied' }], conflicts: [] })
})

test('[RE5] returns the epoch and the number of the last batch with a new session', async () => {
  const { space, phone } = await openSpace()
  const open = async (token: string, clientId: string) =>
    (await send('POST', '/api/auth', { body: { token, clientId } })).body
  const first = await open(phone.token, 'phone')
  expect(first.lastBatch).toBe(0)
  const { body } = await phone.sync({ batch: 1, changes: [{ key: 'k', value: 1, timestamp: T }] })
  expect(body.head.startsWith(`${first.epoch}.`)).toBe(true)
  await phone.sync({ changes: [{ key: 'k', value: 2, timestamp: T }] })
  await phone.sync({ batch: 2, changes: [] })
  expect(await open(phone.token, 'phone')).toMatchObject({ lastBatch: 2, epoch: first.epoch })
  expect(await open(phone.token, 'laptop')).toMatchObject({ lastBatch: 0, epoch: first.epoch })
  // The name of another subject's client is not shown.
  const other = await mint({ space, subject: 'mallory' })
  expect(await open(other.token, 'phone')).toMatchObject({ lastBatch: 0 })

  const again = await restore(space, phone, await exportOf(phone))
  const restored = await open(again.token, 'phone')
  expect(restored.lastBatch).toBe(0)
  expect(restored.epoch).not.toBe(first.epoch)
})

test('[RE5] reports that a space knows no batch of the client, and the number that it takes', async () => {
  const { space, phone } = await openSpace()
  for (const batch of [1, 2, 3])
    await phone.sync({ batch, changes: [{ key: 'k', value: batch, timestamp: T }] })
  const again = await restore(space, phone, await exportOf(phone))
  const edit = { key: 'k', value: 'edited offline', timestamp: T + 1, baseValue: 3 }
  const { body } = await again.sync({ batch: 4, changes: [edit] })
  const { epoch } = (await again.get('/api/status')).body
  expect(body).toMatchObject({ status: 409, code: 'batch-gap', expected: 1, reset: true, epoch })
  expect(body.detail).toContain('number the queue from 1')
  expect((await again.sync({ batch: 1, changes: [edit] })).body.results).toMatchObject([
    { status: 'applied' },
  ])
  const gap = (await again.sync({ batch: 3, changes: [] })).body
  expect(gap).toMatchObject({ code: 'batch-gap', expected: 2 })
  expect(gap).not.toHaveProperty('reset')
})

test('[RE6] tells in a 401 whether the session, its token or the space has ended', async () => {
  const { space, phone } = await openSpace()
  const { token, id } = await mint({ space, scopes: ALL })
  const [ended, revoked] = [await device({ token: phone.token }), await device({ token })]
  await send('DELETE', '/api/auth', { bearer: ended.session })
  const codeOf = async (of: Device) => (await of.get('/api/status')).body.code
  expect(await codeOf(ended)).toBe('session-ended')
  expect((await send('POST', '/api/auth', { body: { token: phone.token } })).status).toBe(200)

  await send('DELETE', '/api/auth', { bearer: revoked.session })
  await send('DELETE', `/api/tokens/${id}`, { bearer: env.ADMIN_TOKEN })
  expect(await codeOf(revoked)).toBe('revoked')

  await send('DELETE', '/api/space', { bearer: phone.session, body: { confirm: space } })
  for (const of of [phone, ended, revoked]) expect(await codeOf(of)).toBe('space-erased')
  expect((await send('POST', '/api/auth', { body: { token: phone.token } })).body.code).toBe('space-erased')
})
