import { evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, test, vi } from 'vitest'
import { REPORT_DELAY_MS } from '../../../worker/src/core/values/report-limits.ts'
import { deviceRows } from '../../../worker/src/objects/report/device-rows.ts'
import { call, type Device, device, mint, newSpace, send } from '../../support/worker/client.ts'
import { follow, pause } from '../../support/worker/follower.ts'
import { deviceOfVersion, lookInto, reported } from '../../support/worker/registry.ts'
import { puts } from '../../support/worker/room.ts'

/** Opens a reader of the devices of a space, which is a client itself. */
async function supporterOf(space: string): Promise<Device> {
  return device({ token: (await mint({ space, scopes: ['space:read'] })).token, clientId: 'supporter' })
}

async function clientsOf(supporter: Device, query = ''): Promise<readonly Record<string, unknown>[]> {
  const { status, body } = await supporter.get(`/api/clients${query}`)
  expect(status).toBe(200)
  return body.clients
}

const storedIn = (space: string) =>
  runInDurableObject(env.CHRONICLE.getByName(space), (_, { storage }) =>
    storage.sql.exec('SELECT client, seq FROM device ORDER BY client').toArray(),
  )

test('[DV1] tells who has read up to where, and what each lacks of the entries of others', async () => {
  const { space, a, b } = await newSpace()
  const supporter = await supporterOf(space)
  expect(await clientsOf(supporter)).toEqual([])
  await a.sync({ batch: 1, changes: puts(['k/1', 'k/2']), cursor: null })
  const read = (await b.get('/api/changes')).body
  await a.sync({ batch: 2, changes: puts(['k/2', 'k/3'], 'new'), cursor: null })
  const [one, other] = await clientsOf(supporter)
  expect(one).toMatchObject({
    clientId: 'a',
    lastBatch: 2,
    skew: 0,
    behind: 0,
    behindSince: null,
    connected: false,
  })
  expect(other).toMatchObject({
    clientId: 'b',
    lastBatch: null,
    batchAt: null,
    position: read.head,
    behind: 2,
  })
  expect(other?.behindSince).toBeLessThanOrEqual(Date.now())
  expect(other?.subject).not.toBe('')
  await b.get(`/api/changes?cursor=${read.cursor}`)
  expect((await clientsOf(supporter))[1]).toMatchObject({ behind: 0, behindSince: null })
})

test('[DV1] counts a deletion, and not what the client has written itself', async () => {
  const { space, a, b } = await newSpace()
  const supporter = await supporterOf(space)
  await a.sync({ changes: puts(['k/1', 'k/2']) })
  const { cursor } = (await b.get('/api/changes')).body
  await b.sync({ changes: puts(['k/3', 'k/4', 'k/5']) })
  expect(await clientsOf(supporter)).toMatchObject([{ clientId: 'a' }, { clientId: 'b', behind: 0 }])
  await a.sync({ changes: [{ key: 'k/1', deleted: true, timestamp: Date.now() }] })
  expect((await clientsOf(supporter))[1]).toMatchObject({ behind: 1 })
  await b.sync({ cursor, changes: [] })
  expect((await clientsOf(supporter))[1]).toMatchObject({ behind: 0 })
})

test('[DV1] tells the version of a client, a client that only writes, and one that follows on a socket', async () => {
  const { space, a } = await newSpace()
  const { token } = await mint({ space })
  const phone = await deviceOfVersion(token, 'phone', 'notes/1.4.2')
  const tablet = await deviceOfVersion(token, 'tablet', 'notes/1.5.0')
  const supporter = await supporterOf(space)
  await a.sync({ changes: puts(['k/1']) })
  await phone.get('/api/changes')
  const socket = await follow(tablet)
  socket.seen((await socket.next()).cursor)
  await vi.waitFor(async () => {
    expect(await clientsOf(supporter)).toMatchObject([
      { clientId: 'a', version: null, position: null, seenAt: null, behind: 0 },
      { clientId: 'phone', version: 'notes/1.4.2', connected: false, behind: 0 },
      { clientId: 'tablet', version: 'notes/1.5.0', connected: true, behind: 0 },
    ])
  })
  socket.close()
  await socket.closed()
  await vi.waitFor(async () =>
    expect((await clientsOf(supporter))[2]).toMatchObject({
      clientId: 'tablet',
      connected: false,
      behind: 0,
    }),
  )
})

test('[DV1] counts for a client that has only written what others have, without deletions', async () => {
  const { space, a, b } = await newSpace()
  const supporter = await supporterOf(space)
  await b.sync({ changes: puts(['k/1', 'k/2', 'k/3']) })
  await b.sync({ changes: [{ key: 'k/3', deleted: true, timestamp: Date.now() }] })
  await a.sync({ changes: puts(['k/4']) })
  expect(await clientsOf(supporter)).toMatchObject([
    { clientId: 'a', position: null, behind: 2 },
    { clientId: 'b', position: null, behind: 1 },
  ])
})

test('[DV1] does not call a client on a socket behind for what its filter hides', async () => {
  const { space, a, b } = await newSpace()
  const supporter = await supporterOf(space)
  const socket = await follow(b, '?collections=k')
  socket.seen((await socket.next()).cursor)
  await a.sync({ changes: puts(['k/1']) })
  socket.seen((await socket.next()).cursor)
  await a.sync({ changes: puts(['hidden/1', 'hidden/2']) })
  await vi.waitFor(async () => {
    expect(await clientsOf(supporter)).toMatchObject([
      { clientId: 'a' },
      { clientId: 'b', connected: true, behind: 0, behindSince: null },
    ])
  })
  socket.close()
  await socket.closed()
})

test('[DV1] counts in one scan of the entries what many clients lack', async () => {
  const { space, a, b } = await newSpace()
  for (let index = 1; index <= 20; index++)
    await (index % 3 === 0 ? b : a).sync({ changes: puts([`k/${2 * index}`, `k/${2 * index + 1}`]) })
  await a.sync({ changes: [{ key: 'k/3', deleted: true, timestamp: Date.now() }] })
  // Every row is in its table before the list is read.
  await clientsOf(await supporterOf(space))
  const devices = ['c', 'b', 'a'].flatMap((client) => [40, 20, 7, 1, null].map((seq) => ({ client, seq })))
  await runInDurableObject(env.CHRONICLE.getByName(space), (_, { storage: { sql } }) => {
    const cursors: { readonly rowsRead: number }[] = []
    const exec: SqlStorage['exec'] = (...query) => {
      const cursor = sql.exec<never>(...query)
      cursors.push(cursor)
      return cursor
    }
    const lacks = deviceRows({ exec } as SqlStorage).lacks(devices)
    const one = (client: string, seq: number | null) =>
      sql
        .exec<{ count: number; since: number | null }>(
          'SELECT count(*) AS count, min(at) AS since FROM head WHERE seq > ? AND "by" <> ? AND deleted <= ?',
          ...[seq ?? 0, client, seq === null ? 0 : 1],
        )
        .one()
    const each = devices.map(({ client, seq }) => ({ client, seq: seq ?? 0, ...one(client, seq) }))
    expect(new Set(lacks)).toEqual(new Set(each.filter(({ since }) => since !== null)))
    // Only client a lacks nothing after position 40: the deletion at 41 is its own.
    expect(lacks).toHaveLength(14)
    const entries = sql.exec<{ count: number }>('SELECT count(*) AS count FROM head').one().count
    expect(cursors.map(({ rowsRead }) => rowsRead)).toEqual([entries])
  })
})

test('[DV1] lists clients in pages, and takes space:read with a token of all collections', async () => {
  const { space, a } = await newSpace()
  const { token } = await mint({ space })
  for (let index = 0; index < 7; index++)
    await (await device({ token, clientId: `d${index}` })).get('/api/changes')
  const supporter = await supporterOf(space)
  const found: unknown[] = []
  for (let after: string | null = ''; after !== null; ) {
    const { body } = await supporter.get(`/api/clients?limit=3${after && `&after=${after}`}`)
    found.push(...body.clients.map(({ clientId }: { clientId: string }) => clientId))
    after = body.next
  }
  expect(found).toEqual(Array.from({ length: 7 }, (_, index) => `d${index}`))
  expect((await a.get('/api/clients')).body).toMatchObject({ code: 'forbidden-scope' })
  const narrow = await device({
    token: (await mint({ space, scopes: ['space:read'], collections: ['k'] })).token,
  })
  expect((await narrow.get('/api/clients')).body).toMatchObject({ code: 'forbidden-collection' })
  for (const query of ['limit=0', 'limit=51', 'limit=x', 'odd=1'])
    expect((await supporter.get(`/api/clients?${query}`)).status, query).toBe(422)
})

test('[DV1] believes no position past the head, and none of another subject', async () => {
  const { space, a } = await newSpace()
  const supporter = await supporterOf(space)
  await a.sync({ batch: 1, changes: puts(['k/1']) })
  const { epoch } = (await a.get('/api/status')).body
  const forged = `/api/changes?cursor=${epoch}.999999999999`
  const headers = { authorization: `Bearer ${a.session}`, 'if-none-match': '*' }
  expect((await call(forged, { headers })).status).toBe(304)
  const other = await device({ token: (await mint({ space, scopes: ['sync:read'] })).token, clientId: 'a' })
  await a.sync({ batch: 2, changes: puts(['k/2']) })
  await other.get('/api/changes')
  expect((await clientsOf(supporter))[0]).toMatchObject({ clientId: 'a', position: null, lastBatch: 2 })
  const { head } = (await a.get('/api/changes')).body
  expect((await clientsOf(supporter))[0]).toMatchObject({ clientId: 'a', position: head })
})

test('[DV1] shows a writer, whoever else reads and follows under its client id', async () => {
  const { space, a } = await newSpace()
  const supporter = await supporterOf(space)
  await a.sync({ batch: 1, changes: puts(['k/1', 'k/2', 'k/3']) })
  const { head } = (await a.get('/api/changes')).body
  const other = await device({ token: (await mint({ space, scopes: ['sync:read'] })).token, clientId: 'a' })
  await other.get('/api/changes?limit=1')
  const socket = await follow(other)
  await socket.next()
  const own = { clientId: 'a', position: head, behind: 0, connected: false }
  expect((await clientsOf(supporter))[0]).toMatchObject(own)
  await pause(6 * REPORT_DELAY_MS)
  socket.close()
  await evictDurableObject(env.CHRONICLE.getByName(space))
  expect((await clientsOf(supporter))[0]).toMatchObject(own)
})

test('[DV1] knows no position of a client that follows and has told none', async () => {
  const { space, a, b } = await newSpace()
  const supporter = await supporterOf(space)
  await a.sync({ changes: puts(['k/1', 'k/2']) })
  const socket = await follow(b)
  const { cursor } = await socket.next()
  const shown = async () => (await clientsOf(supporter)).find(({ clientId }) => clientId === 'b')
  expect(await shown()).toMatchObject({ position: null, behind: 2, connected: true })
  socket.seen(cursor)
  await vi.waitFor(async () => expect(await shown()).toMatchObject({ behind: 0 }))
  socket.close()
})

test('[DV2] tells the position of a device that has started over', async () => {
  const { space, a, b } = await newSpace()
  const supporter = await supporterOf(space)
  await a.sync({ changes: puts(['k/1', 'k/2', 'k/3']) })
  await b.get('/api/changes')
  await pause(6 * REPORT_DELAY_MS)
  expect((await clientsOf(supporter)).at(-1)).toMatchObject({ clientId: 'b', behind: 0 })
  await b.get('/api/changes?limit=1')
  expect((await clientsOf(supporter)).at(-1)).toMatchObject({ clientId: 'b', behind: 2 })
})

test('[DV1] does not list an operator who looks in, on a socket or not', async () => {
  const { space, a } = await newSpace()
  await a.sync({ changes: puts(['k/1']) })
  await reported(space, { entries: 1 })
  const operator = await lookInto(space, ['sync:read', 'sync:write', 'space:read'])
  await operator.get('/api/changes')
  await operator.sync({ changes: puts(['k/2']) })
  const socket = await follow(operator)
  socket.seen((await socket.next()).cursor)
  const { body } = await operator.get('/api/clients')
  expect(body.clients).toMatchObject([{ clientId: 'a' }])
  socket.close()
})

test('[DV2] stores a position once an hour, and knows it after the object has slept', async () => {
  const { space, a, b } = await newSpace()
  const supporter = await supporterOf(space)
  await a.sync({ changes: puts(['k/1']) })
  await b.get('/api/changes')
  await pause(6 * REPORT_DELAY_MS)
  const stored = await storedIn(space)
  expect(stored).toMatchObject([{ client: 'b' }])
  await a.sync({ changes: puts(['k/2']) })
  await b.get('/api/changes')
  expect((await clientsOf(supporter))[1]).toMatchObject({ clientId: 'b', behind: 0 })
  await pause(6 * REPORT_DELAY_MS)
  expect(await storedIn(space)).toEqual(stored)
  await evictDurableObject(env.CHRONICLE.getByName(space))
  expect((await clientsOf(supporter))[1]).toMatchObject({ clientId: 'b', behind: 1 })
})

test('[DV2] forgets the positions of an erased space', async () => {
  const { space, a, b } = await newSpace()
  await a.sync({ changes: puts(['k/1']) })
  await b.get('/api/changes')
  const admin = await device({ token: (await mint({ space, scopes: ['space:admin'] })).token })
  await send('DELETE', '/api/space', { body: { confirm: space }, bearer: admin.session })
  await pause(1100)
  const supporter = await supporterOf(space)
  expect(await clientsOf(supporter)).toEqual([])
  await pause(6 * REPORT_DELAY_MS)
  expect(await storedIn(space)).toEqual([])
})
