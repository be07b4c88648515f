import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { type IncomingMessage, request } from 'node:http'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { text } from 'node:stream/consumers'
import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { storedObjects } from '../../infra/local/cloud/objects.ts'
import type { RunningCloud } from '../../infra/local/start-cloud.ts'
import { decodeChunks } from '../../worker/src/core/log/chunk.ts'
import { FORM } from '../../worker/src/core/log/chunk-header.ts'
import { LAYOUT } from '../../worker/src/core/space/layout.ts'
import { GENEROUS, type TestCloud, testCloud } from '../support/cloud/cloud.ts'
import { lastRelease, type Release } from './release.ts'
import { type Runtime, startRuntime } from './runtime.ts'

const ROOT = join(import.meta.dirname, '../..')
const T = Date.now() - 3_600_000

const TOO_SHALLOW = 'this clone does not reach back to the last release'

let release: Release | null
let tested: TestCloud

beforeAll(() => {
  release = lastRelease()
  tested = testCloud()
})

afterAll(async () => {
  await tested.remove()
  release?.remove()
})

interface Reply {
  readonly status: number
  // The tests read replies as an untyped client does.
  // biome-ignore lint/suspicious/noExplicitAny: see above
  readonly body: any
  readonly headers: Headers
}

/** Sends a request like `POST /api/sync`, with a body of JSON or of text. */
async function send(url: string, request: string, bearer: string, body?: unknown): Promise<Reply> {
  const [method = '', path = ''] = request.split(' ')
  const isText = typeof body === 'string'
  const response = await fetch(url + path, {
    method,
    headers: {
      authorization: `Bearer ${bearer}`,
      ...(body !== undefined && { 'content-type': isText ? 'application/x-ndjson' : 'application/json' }),
    },
    ...(body !== undefined && { body: isText ? body : JSON.stringify(body) }),
  })
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.includes('json') && !text.includes('}\n{')
  return {
    status: response.status,
    headers: response.headers,
    body: isJson && text ? JSON.parse(text) : text,
  }
}

const ALL = ['sync:read', 'sync:write', 'space:admin']

/** Opens a session of a client in a space. All clients of a space have the same subject. */
async function open(url: string, admin: string, [space, clientId]: [string, string]): Promise<string> {
  const wanted = { subject: 'ann', space, scopes: ALL }
  const { body } = await send(url, 'POST /api/tokens', admin, wanted)
  return (await send(url, 'POST /api/auth', admin, { token: body.token, clientId })).body.session
}

const BATCH = {
  batch: 1,
  changes: [
    { key: 'notes/1', value: { title: 'one', fields: [1, null, 'ä'] }, timestamp: T, base: null },
    { key: 'notes/2', value: 2, timestamp: T, base: null },
    { key: 'notes/3', value: 3, timestamp: T },
    { key: '', value: 'rejected', timestamp: T },
    { key: 'notes/4', value: 'x'.repeat(100_000), timestamp: T, base: null },
  ],
}

/** Writes batches with and without a number, conflicts, deletions and a history. */
async function fill(url: string, [a, b]: [string, string]): Promise<unknown> {
  const first = await send(url, 'POST /api/sync', a, BATCH)
  await send(url, 'POST /api/sync', b, {
    changes: [{ key: 'notes/1', value: 'lost', timestamp: T - 9, base: null }],
  })
  await send(url, 'POST /api/sync', b, {
    changes: [
      { key: 'notes/2', value: 'won', timestamp: T + 9, base: 'elsewhere.1' },
      { key: 'notes/3', deleted: true, timestamp: T + 9 },
      { key: 'notes/5', value: 5, timestamp: T, base: null },
    ],
  })
  for (let n = 0; n < 40; n++)
    await send(url, 'POST /api/sync', a, { changes: [{ key: 'notes/hot', value: n, timestamp: T + n }] })
  return first.body.results
}

const READS = [
  'GET /api/changes',
  'GET /api/conflicts',
  'GET /api/entries?key=notes/1',
  'GET /api/entries?key=notes/4',
  'GET /api/history?key=notes/2',
  'GET /api/history?key=notes/hot',
]

async function readAll(url: string, session: string): Promise<readonly unknown[]> {
  const replies = []
  for (const read of READS) {
    const { status, body } = await send(url, read, session)
    expect(status, read).toBe(200)
    replies.push(body)
  }
  return replies
}

/** Reads the forms of all chunks in the files of a stack, and the layouts of its spaces. */
function storedIn(folder: string): { forms: ReadonlySet<number>; layouts: ReadonlySet<unknown> } {
  const [forms, layouts] = [new Set<number>(), new Set<unknown>()]
  const data = join(folder, 'data')
  for (const file of existsSync(data) ? readdirSync(data, { recursive: true, encoding: 'utf8' }) : []) {
    if (!file.endsWith('.sqlite')) continue
    const database = new DatabaseSync(join(data, file))
    if (database.prepare(`SELECT 1 FROM sqlite_schema WHERE name = 'segment'`).get()) {
      layouts.add(database.prepare(`SELECT value FROM meta WHERE name = 'step'`).get()?.value)
      const rows = ['segment', 'archive'].flatMap((table) =>
        database.prepare(`SELECT body FROM ${table}`).all(),
      )
      for (const { body } of rows)
        for (const { header } of decodeChunks(body as Uint8Array)) forms.add(header.form)
    }
    database.close()
  }
  return { forms, layouts }
}

async function reseal(cloud: RunningCloud): Promise<void> {
  const spaces = storedObjects(join(tested.folder, 'dev'), 'Chronicle')
  for (let waited = 0; ; waited += 50) {
    const { body } = await send(cloud.url, 'POST /api/spaces/reseal', cloud.outputs.adminToken, { spaces })
    if (body.spaces.every(({ state }: { state: string }) => state === 'done')) return
    if (waited > 20_000) throw new Error(JSON.stringify(body))
    await setTimeout(50)
  }
}

test('[SG8] opens data of the last release, reads it alike, syncs on top of it, and rewrites it in the newest form', async ({
  skip,
}) => {
  if (release === null) return skip(TOO_SHALLOW)
  // The release runs with its own engine, as `npm start` of that checkout does.
  const own: typeof import('../../infra/local/start-cloud.ts') = await import(
    join(release.root, 'infra/local/start-cloud.ts')
  )
  const old = await own.startCloud({ root: release.root, local: tested.folder, port: 0, config: GENEROUS })
  const admin = old.outputs.adminToken
  const sessions: [string, string] = [
    await open(old.url, admin, ['kept', 'a']),
    await open(old.url, admin, ['kept', 'b']),
  ]
  const results = await fill(old.url, sessions)
  // A reseal pass of the last release also fills the archive.
  await reseal(old)
  await fill(old.url, sessions)
  const before = await readAll(old.url, sessions[0])
  await old.stop()
  expect(storedIn(join(tested.folder, 'dev')).forms).toEqual(new Set([1]))

  const cloud = await tested.start()
  const [a, b] = sessions
  expect(await readAll(cloud.url, a)).toEqual(before)
  const again = await send(cloud.url, 'POST /api/sync', a, BATCH)
  expect(again.body).toMatchObject({ replayed: true, results })
  const next = { batch: 2, changes: [{ key: 'notes/5', value: 6, timestamp: T + 99 }] }
  expect((await send(cloud.url, 'POST /api/sync', a, next)).body).toMatchObject({ success: true })
  const stranger = await send(cloud.url, 'POST /api/tokens', admin, {
    subject: 'bob',
    space: 'kept',
    scopes: ALL,
  })
  const session = (
    await send(cloud.url, 'POST /api/auth', admin, { token: stranger.body.token, clientId: 'a' })
  ).body.session
  expect((await send(cloud.url, 'POST /api/sync', session, { ...next, batch: 3 })).body.code).toBe(
    'foreign-client',
  )
  const now = await readAll(cloud.url, b)
  await reseal(cloud)
  expect(await readAll(cloud.url, b)).toEqual(now)
  await cloud.stop()
  expect(storedIn(join(tested.folder, 'dev'))).toEqual({ forms: new Set([FORM]), layouts: new Set([LAYOUT]) })
})

/** Sends one request to each route that reaches a space. Returns the outcomes by name. */
async function tour({ url, adminToken }: Runtime): Promise<Readonly<Record<string, unknown>>> {
  const seen: Record<string, unknown> = {}
  async function go(name: string, request: string, [bearer, body]: [string, unknown?]): Promise<Reply> {
    const reply = await send(url, request, bearer, body)
    seen[name] = reply.status
    return reply
  }
  const rights = { subject: 'ann', space: 'mixed', scopes: ALL }
  const minted = await go('mint', 'POST /api/tokens', [adminToken, rights])
  async function openAs(clientId: string): Promise<string> {
    const reply = await go('auth', 'POST /api/auth', [adminToken, { token: minted.body.token, clientId }])
    return reply.body.session
  }
  const [a, b, c] = [await openAs('a'), await openAs('b'), await openAs('c')]
  await send(url, 'PUT /api/config', adminToken, { revision: 0, defaultPolicy: 'manual' })
  await go('sync', 'POST /api/sync', [a, { ...BATCH, cursor: null }])
  const lost = { changes: [{ key: 'notes/1', value: 'b', timestamp: T, base: null }] }
  const { id, winner } = (await go('conflict', 'POST /api/sync', [b, lost])).body.conflicts[0]
  for (const read of [...READS.filter((read) => !read.includes('hot')), 'GET /api/status', 'GET /api/export'])
    await go(read, read, [a])
  const resolution = { choice: 'loser', base: winner.version }
  await go('resolve', `POST /api/conflicts/${id}/resolve`, [b, resolution])
  await go('import', 'POST /api/import', [a, HEADER])
  seen.follow = await follow(url, a)
  await go('log-out', 'DELETE /api/auth', [c])
  await go('logged out', 'GET /api/status', [c])
  await go('rotate', `POST /api/tokens/${minted.body.id}/rotate`, [adminToken, { overlapSeconds: 60 }])
  const twin = await send(url, 'POST /api/tokens', adminToken, rights)
  await go('revoke', `DELETE /api/tokens/${twin.body.id}`, [adminToken])
  await go('erase', 'DELETE /api/space', [a, { confirm: 'mixed' }])
  await go('erased', 'GET /api/status', [b])
  return seen
}

const HEADER = `${JSON.stringify({
  type: 'header',
  format: 'chronicle-export',
  version: 1,
  space: 'other',
  epoch: 'e',
  head: 'e.1',
  exportedAt: 1,
})}\n`

/** Follows the space on a socket and pushes on it. Returns the status of the reply, or how the socket ended. */
async function follow(url: string, session: string): Promise<unknown> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/api/live`, ['chronicle.v1', `bearer.${session}`])
  const ended = once(socket, 'close').then(([{ code }]) => `closed ${code}`)
  await Promise.race([once(socket, 'open'), ended])
  if (socket.readyState !== WebSocket.OPEN) return refusalOf(url, session)
  socket.send(JSON.stringify({ type: 'push', id: 'p', body: { changes: [] } }))
  for (let told = ''; ; ) {
    const event = await Promise.race([once(socket, 'message'), ended])
    if (typeof event === 'string') return event
    told = String((event[0] as MessageEvent).data)
    if (told.includes('"ack"')) {
      socket.close()
      return JSON.parse(told).status
    }
  }
}

/** Repeats a refused upgrade over HTTP. Returns its status, code and Retry-After. */
async function refusalOf(url: string, session: string): Promise<unknown> {
  const asking = request(`${url}/api/live`, {
    headers: {
      authorization: `Bearer ${session}`,
      connection: 'upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': btoa('0123456789abcdef'),
    },
  }).end()
  const [response] = (await once(asking, 'response')) as [IncomingMessage]
  const { code } = JSON.parse(await text(response))
  return [response.statusCode, code, response.headers['retry-after']]
}

test('[VS1] serves every route with a Worker and objects one release apart, in both directions', async ({
  skip,
}) => {
  if (release === null) return skip(TOO_SHALLOW)
  const tours = []
  for (const versions of [
    { worker: ROOT, objects: ROOT },
    { worker: ROOT, objects: release.root },
    { worker: release.root, objects: ROOT },
  ]) {
    const running = await startRuntime(versions)
    tours.push(await tour(running))
    await running.stop()
  }
  const [same, behind, ahead] = tours
  expect(same).toMatchObject({ sync: 200, follow: 200, erase: 200, erased: 401 })
  // The last release's objects read the socket's header under a name that the platform logs in the clear.
  expect(behind).toEqual({ ...same, follow: 'closed 1013' })
  expect(ahead).toEqual(same)
})
