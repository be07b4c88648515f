import { isDeepStrictEqual } from 'node:util'
import type { Reply } from './service/api-client.ts'
import { askService, type Service } from './service/persist.ts'
import { exchange } from './service/space-access.ts'

/** The service under check, and the values that earlier checks hand to later ones. */
export interface Subject extends Service {
  /** The version that must answer; undefined until the first answer, if any version may. */
  version: string | undefined
  /** Whether the pages of the host, at its root and of the console, are those of the service. */
  readonly hasPage: boolean
  /** A space that only this run uses. */
  readonly space: string
  token: string
  tokenId: string
  /** Sessions of two devices. */
  sessions: readonly [string, string]
  version1: string
}

export interface Check {
  readonly name: string
  readonly run: (subject: Subject) => Promise<void>
}

/** The life of the check's token if nobody revokes it. */
const TOKEN_TTL_MS = 10 * 60_000

const VALUE = { title: 'smoke', list: [1, null, { nested: true }] }
const EDITED = { title: 'edited' }

/** In order, because each check builds on the ones before. */
export const CHECKS: readonly Check[] = [
  { name: 'answers, and runs the version that was deployed', run: checkHealth },
  { name: 'serves the page, the console and the API document of the same version', run: checkAssets },
  { name: 'mints a token', run: checkToken },
  { name: 'opens sessions for two devices', run: checkSessions },
  { name: 'takes a batch', run: checkPush },
  { name: 'answers a retry without a second effect', run: checkRetry },
  { name: 'brings it to the other device', run: checkPull },
  { name: 'resolves a conflict and keeps the loser', run: checkConflict },
  { name: 'reports the position of a device', run: checkStatus },
  { name: 'refuses a forged session, a foreign origin and a wrong path', run: checkRefusals },
]

/** Removes everything that the checks have created so far. */
export async function cleanUp(subject: Subject): Promise<void> {
  const { adminToken, space, sessions, tokenId } = subject
  if (sessions[0]) {
    expectStatus(
      await askService(subject, 'DELETE /api/space', { bearer: sessions[0], body: { confirm: space } }),
      200,
    )
    expectStatus(await askService(subject, 'GET /api/status', { bearer: sessions[1] }), 401)
  }
  if (tokenId)
    expectStatus(await askService(subject, `DELETE /api/tokens/${tokenId}`, { bearer: adminToken }), 200)
}

async function checkHealth(subject: Subject): Promise<void> {
  const { version } = subject
  const reply = await askService(subject, 'GET /api/health')
  expectStatus(reply, 200)
  expectField(reply, 'status', 'ok')
  if (version !== undefined) expectField(reply, 'version', version)
  subject.version = reply.body.version
}

/**
 * Static assets are uploaded before the script, and nothing else notices if the script got none or those of another
 * version. Behind a route, the root may belong to another server, which is no concern of the service.
 */
async function checkAssets(subject: Subject): Promise<void> {
  const document = await askService(subject, 'GET /api/openapi.json')
  expectStatus(document, 200)
  expectEqual('the path of this document in it', '/api/openapi.json' in (document.body.paths ?? {}), true)
  if (!subject.hasPage) return
  await checkPage(subject, '/')
  await checkPage(subject, '/console/')
}

async function checkPage(subject: Subject, path: string): Promise<void> {
  const { status, body } = await askService(subject, `GET ${path}`)
  expectEqual(`the page at ${path}`, body?.code ?? (status < 500 ? 'served' : status), 'served')
  const [, served = subject.version] = /<meta name="version" content="([^"]*)">/.exec(body) ?? []
  expectEqual(`the version of the page at ${path}`, served, subject.version)
}

async function checkToken(subject: Subject): Promise<void> {
  const { adminToken, space, clock } = subject
  const scopes = ['sync:read', 'sync:write', 'space:admin']
  const expiresAt = clock.now() + TOKEN_TTL_MS
  const body = { subject: space, scopes, expiresAt, name: 'smoke check' }
  const reply = await askService(subject, 'POST /api/tokens', { bearer: adminToken, body })
  expectStatus(reply, 201)
  subject.token = reply.body.token
  subject.tokenId = reply.body.id
}

async function checkSessions(subject: Subject): Promise<void> {
  const { token } = subject
  const [one = '', two = ''] = await Promise.all(
    ['one', 'two'].map((clientId) => exchange(subject, { token, clientId })),
  )
  subject.sessions = [one, two]
}

async function checkPush(subject: Subject): Promise<void> {
  const reply = await push(subject)
  expectStatus(reply, 200)
  expectField(reply, 'success', true)
  expectField(reply, 'synced', ['smoke/1'])
  subject.version1 = reply.body.results[0].version
}

async function checkRetry(subject: Subject): Promise<void> {
  const reply = await push(subject)
  expectField(reply, 'replayed', true)
  expectField(reply, 'synced', ['smoke/1'])
}

async function checkPull(subject: Subject): Promise<void> {
  const { sessions } = subject
  const reply = await askService(subject, 'GET /api/changes', { bearer: sessions[1] })
  expectStatus(reply, 200)
  const values = reply.body.changes.map(({ value }: { value: unknown }) => value)
  expectEqual('the values that came', values, [VALUE])
}

async function checkConflict(subject: Subject): Promise<void> {
  const { sessions, version1 } = subject
  const edit = (value: unknown, timestamp: number) => ({
    changes: [{ key: 'smoke/1', value, timestamp, base: version1 }],
  })
  const now = Date.now()
  await askService(subject, 'POST /api/sync', { bearer: sessions[0], body: edit(EDITED, now) })
  const late = await askService(subject, 'POST /api/sync', {
    bearer: sessions[1],
    body: edit('late', now - 5000),
  })
  expectEqual('the status of the late change', late.body.results?.[0]?.status, 'superseded')
  const { body } = await askService(subject, 'GET /api/conflicts', { bearer: sessions[1] })
  expectEqual('the loser that was kept', body.conflicts?.[0]?.loser?.value, 'late')
}

async function checkStatus(subject: Subject): Promise<void> {
  const { sessions } = subject
  const { body } = await askService(subject, 'GET /api/changes', { bearer: sessions[0] })
  const reply = await askService(subject, `GET /api/status?cursor=${body.cursor}`, { bearer: sessions[0] })
  expectField(reply, 'status', 'ok')
  expectField(reply, 'pending', 0)
}

async function checkRefusals(subject: Subject): Promise<void> {
  const { sessions } = subject
  const forged = await askService(subject, 'GET /api/status', { bearer: `${sessions[0].slice(0, -4)}AAAA` })
  expectStatus(forged, 401)
  expectField(forged, 'code', 'unauthorized')
  const foreign = await askService(subject, 'GET /api/health', {
    headers: { origin: 'https://elsewhere.example' },
  })
  expectEqual(
    'the CORS header for a foreign origin',
    foreign.headers.get('access-control-allow-origin'),
    null,
  )
  expectStatus(await askService(subject, 'GET /api/nowhere'), 404)
}

function push(subject: Subject): Promise<Reply> {
  const { sessions } = subject
  const changes = [{ key: 'smoke/1', value: VALUE, timestamp: 1, base: null }]
  return askService(subject, 'POST /api/sync', { bearer: sessions[0], body: { batch: 1, changes } })
}

function expectStatus(reply: Reply | undefined, status: number): void {
  const { detail } = reply?.body ?? {}
  expectEqual(`the status${detail ? ` (${detail})` : ''}`, reply?.status, status)
}

function expectField({ body }: Reply, field: string, value: unknown): void {
  expectEqual(field, body[field], value)
}

function expectEqual(what: string, found: unknown, expected: unknown): void {
  if (isDeepStrictEqual(found, expected)) return
  throw new Error(`${what} is ${JSON.stringify(found)}, expected ${JSON.stringify(expected)}`)
}
