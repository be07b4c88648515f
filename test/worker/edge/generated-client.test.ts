import { env, exports } from 'cloudflare:workers'
import createClient, { type Client } from 'openapi-fetch'
import { expect, test } from 'vitest'
import type { components, paths } from '../../../client/src/values/openapi.ts'
import { documented } from '../../support/documented.ts'
import { configure, mint } from '../../support/worker/client.ts'
import { follow } from '../../support/worker/follower.ts'

/**
 * Client that openapi-typescript and openapi-fetch make of docs/openapi.json, unchanged. Its types are half of these
 * tests: they are compiled under `strict`, and each `@ts-expect-error` fails if the line below it compiles.
 */

type Schemas = components['schemas']
type Change = Schemas['Change']
type Api = Client<paths>

const T = 1_795_347_000_000

function clientOf(session?: string): Api {
  return createClient<paths>({
    baseUrl: 'https://sync.example',
    fetch: async (request) => documented(request, await exports.default.fetch(request)),
    ...(session !== undefined && { headers: { authorization: `Bearer ${session}` } }),
  })
}

/** Makes the generated client of a new device. */
async function open(token: string, clientId: string): Promise<Api> {
  const { data, error } = await clientOf().POST('/api/auth', { body: { token, clientId } })
  if (data === undefined) throw new Error(error.code)
  expect(data.clientId).toBe(clientId)
  return clientOf(data.session)
}

async function twoClients(collection = 'notes'): Promise<readonly [Api, Api]> {
  const { token } = await mint({ space: crypto.randomUUID(), collections: [collection, 'tasks'] })
  return [await open(token, 'a'), await open(token, 'b')]
}

async function sync(api: Api, body: Schemas['SyncRequest']): Promise<Schemas['SyncReply']> {
  const { data, error } = await api.POST('/api/sync', { body })
  if (data === undefined) throw new Error(error.code)
  return data
}

test('[OA6] types a refused token as one of the problems of its operation, by code', async () => {
  const { data, error, response } = await clientOf().POST('/api/auth', { body: { token: 'nonsense' } })
  expect(data).toBeUndefined()
  expect(response.status).toBe(401)
  expect(error?.code).toBe('unauthorized')
  // @ts-expect-error opening a session is never refused for a batch number
  expect(error?.code === 'batch-gap').toBe(false)
})

test('[OA6] types a change as a write or a deletion, on one kind of base', async () => {
  const [a] = await twoClients()
  const changes: Change[] = [
    { key: 'notes/1', value: 1, timestamp: T },
    { key: 'notes/2', value: null, timestamp: T, base: null },
    { key: 'notes/3', deleted: true, timestamp: T, base: 'k3x9q2.1' },
    { key: 'notes/4', value: 1, timestamp: T, baseDeleted: true },
    { key: 'notes/1', value: 2, deleted: false, timestamp: T + 1, baseValue: 1 },
  ]
  const { results } = await sync(a, { batch: 1, changes })
  expect(results.map(({ status }) => status)).toEqual(['applied', 'applied', 'noop', 'applied', 'applied'])
  // @ts-expect-error neither a value nor a deletion
  const empty: Change = { key: 'notes/5', timestamp: T }
  // @ts-expect-error two bases
  const twofold: Change = { key: 'notes/5', value: 1, timestamp: T, base: null, baseValue: 1 }
  // @ts-expect-error two bases
  const deleted: Change = { key: 'notes/5', value: 1, timestamp: T, base: null, baseDeleted: true }
  const { data } = await a.POST('/api/sync', { body: { batch: 2, changes: [empty] } })
  expect(data?.results[0]).toEqual({ key: 'notes/5', status: 'rejected', code: 'missing-value' })
  for (const change of [twofold, deleted]) {
    const { error } = await a.POST('/api/sync', { body: { batch: 3, changes: [change] } })
    expect(error?.code).toBe('invalid-request')
  }
})

test('[OA6] discriminates results by status', async () => {
  const [a] = await twoClients()
  const { results } = await sync(a, {
    batch: 1,
    changes: [
      { key: 'notes/1', value: 1, timestamp: T },
      { key: '/no key', value: 1, timestamp: T },
    ],
  })
  const told: string[] = []
  for (const result of results) {
    // @ts-expect-error only a rejection has a code
    expect(typeof result.code).not.toBe('number')
    if (result.status === 'rejected') told.push(result.code)
    // @ts-expect-error a rejection has no version
    if (result.status === 'rejected') expect(result.version).toBeUndefined()
    if (result.status === 'applied') told.push(result.version)
  }
  expect(told).toEqual([expect.stringMatching(/^\w+\.1$/), 'invalid-key'])
})

test('[OA6] types the expected number only on the problems that have one', async () => {
  const [a] = await twoClients()
  await sync(a, { batch: 1, changes: [] })
  const { error } = await a.POST('/api/sync', { body: { batch: 3, changes: [] } })
  // @ts-expect-error not every problem has an expected number
  expect(error?.expected).toBe(2)
  const next: number = error?.code === 'batch-gap' ? error.expected : Number.NaN
  expect(next).toBe(2)
  // @ts-expect-error a sync never says that a space is not empty
  expect(error?.code === 'not-empty').toBe(false)
})

test('[OA6] reads `collections` as the generated client sends them, and discriminates the entries', async () => {
  const [a, b] = await twoClients()
  await sync(a, {
    changes: [
      { key: 'notes/1', value: { title: 'milk' }, timestamp: T },
      { key: 'tasks/1', value: 1, timestamp: T },
      { key: 'notes/2', value: 1, timestamp: T },
      { key: 'notes/2', deleted: true, timestamp: T + 1 },
    ],
  })
  const query = { collections: ['notes', 'tasks'] }
  const { data } = await b.GET('/api/changes', { params: { query } })
  const copy = new Map<string, unknown>()
  for (const entry of data?.changes ?? []) {
    if (entry.deleted) copy.delete(entry.key)
    else copy.set(entry.key, entry.value)
  }
  expect([...copy]).toEqual([
    ['notes/1', { title: 'milk' }],
    ['tasks/1', 1],
  ])
  const status = await b.GET('/api/status', {
    params: { query: { ...query, ...(data !== undefined && { cursor: data.cursor }) } },
  })
  expect(status.data?.pending).toBe(0)
})

test('[OA6] shows both sides of a conflict, and takes a side or a value as its decision', async () => {
  await configure({ policies: { drafts: 'manual' } })
  const [a, b] = await twoClients('drafts')
  const first = await sync(a, { changes: [{ key: 'drafts/1', value: 'a', timestamp: T, base: null }] })
  const second = await sync(b, { changes: [{ key: 'drafts/1', value: 'b', timestamp: T, base: null }] })
  const [conflict] = second.conflicts
  if (conflict === undefined) throw new Error('no conflict')
  expect(second.results[0]?.status).toBe('conflict')
  expect(conflict.resolution).toBe('open')
  expect(shown(conflict.winner)).toBe('a')
  expect(shown(conflict.loser)).toBe('b')
  const path = { id: String(conflict.id) }
  const base = first.results[0]?.status === 'applied' ? first.results[0].version : null
  // @ts-expect-error a side takes no value
  const both: Schemas['ResolveRequest'] = { choice: 'loser', value: 'c', base }
  // @ts-expect-error a value is missing
  const none: Schemas['ResolveRequest'] = { choice: 'value', base }
  for (const body of [both, none]) {
    const { error } = await b.POST('/api/conflicts/{id}/resolve', { params: { path }, body })
    expect(error?.code).toBe('invalid-request')
  }
  const stale = await b.POST('/api/conflicts/{id}/resolve', {
    params: { path },
    body: { choice: 'value', value: 'c', base: null },
  })
  expect(stale.error?.code === 'stale-base' ? stale.error.version : undefined).toBe(base)
  const { data } = await b.POST('/api/conflicts/{id}/resolve', {
    params: { path },
    body: { choice: 'loser', base },
  })
  expect(data?.replayed).toBe(false)
})

function shown(side: Schemas['ConflictSide']): unknown {
  if (side.omitted) return side.version
  return side.deleted ? null : side.value
}

test('[OA6] discriminates frames of a socket by type', async () => {
  const { token } = await mint({ space: crypto.randomUUID() })
  const { data } = await clientOf().POST('/api/auth', { body: { token } })
  const socket = await follow({ session: data?.session ?? '' })
  const said: Schemas['ClientFrame'] = {
    type: 'push',
    id: 'p',
    body: { batch: 2, cursor: null, changes: [{ key: 'notes/1', value: 1, timestamp: T }] },
  }
  socket.say(said)
  const heard: string[] = []
  for (let frame = await nextOf(socket); heard.length < 2; frame = await nextOf(socket)) {
    // @ts-expect-error not every frame has changes
    expect(typeof frame.changes).not.toBe('number')
    if (frame.type === 'changes') heard.push(`from ${frame.from}`)
    if (frame.type === 'ack') heard.push('code' in frame.body ? frame.body.code : frame.body.head)
    socket.say({ type: 'ping' } satisfies Schemas['ClientFrame'])
  }
  expect(heard).toEqual(['from null', 'batch-gap'])
  socket.close(1000)
})

async function nextOf(socket: Awaited<ReturnType<typeof follow>>): Promise<Schemas['ServerFrame']> {
  return socket.next()
}

test('[OA6] mints a token and reads the configuration for the operator', async () => {
  const operator = clientOf(env.ADMIN_TOKEN)
  const { data } = await operator.POST('/api/tokens', {
    body: { subject: crypto.randomUUID(), scopes: ['sync:read'] },
  })
  expect(data?.scopes).toEqual(['sync:read'])
  const config = await operator.GET('/api/config')
  expect(config.data?.quota.entries).toBe(1_000_000)
})
