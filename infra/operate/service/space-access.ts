import { onInterrupt } from '../../cli/command-line.ts'
import { UserError } from '../../cli/user-error.ts'
import { bodyOf, callApi, fetchApi, type Reply } from './api-client.ts'
import { askService, persist, type Service } from './persist.ts'

/** A session in one space. */
export interface SpaceAccess {
  /** The id of the space's object on the platform; undefined if the service is too old to report it. */
  readonly spaceId: string | undefined
  /** Sends a request, with NDJSON as its body if there are lines. Rejects with one line unless it succeeds. */
  send(request: string, lines?: string): Promise<Response>
  /** Requests JSON, with retries unless an import into the space is in progress. */
  ask(request: string): Promise<Reply>
}

/** The life of a token that nobody revokes. It covers the longest export, which ends with its session. */
const TOKEN_TTL_MS = 60 * 60_000

/**
 * How long a new token may be unknown. KV caches misses like values, so a location that looked for the token before it
 * was minted does not find it for a minute.
 */
const UNKNOWN_MS = 90_000
const UNKNOWN_PAUSE_MS = 5_000

/** Runs some work in a space with a token that is minted for it and revoked at the end. */
export async function inSpace<T>(
  service: Service,
  { space, clientId }: { readonly space: string; readonly clientId: string },
  work: (access: SpaceAccess) => Promise<T>,
): Promise<T> {
  const minting = mint(service, space, clientId)
  const close = closing(service, space, minting)
  try {
    const { token, spaceId } = await minting
    const session = await exchange(service, { token, clientId })
    return await work({
      spaceId,
      send: (request, lines) => send(service, request, { session, lines }),
      ask: (request) =>
        persist(
          service,
          () => callApi(service.api, request, { bearer: session }),
          ({ body }) => body?.code === 'importing',
        ),
    })
  } finally {
    await close()
  }
}

interface Minted {
  readonly id: string
  readonly token: string
  readonly spaceId: string | undefined
}

async function mint(service: Service, space: string, name: string): Promise<Minted> {
  const expiresAt = service.clock.now() + TOKEN_TTL_MS
  const body = { subject: name, space, scopes: ['sync:read', 'space:admin'], expiresAt, name }
  const request = 'POST /api/tokens'
  return bodyOf(request, await askService(service, request, { bearer: service.adminToken, body }))
}

/** Exchanges a new token for a session, with retries until the location of the request knows the token. */
export async function exchange(
  service: Pick<Service, 'api' | 'clock' | 'signal'>,
  body: { readonly token: string; readonly clientId: string },
): Promise<string> {
  const request = 'POST /api/auth'
  for (const began = service.clock.now(); ; ) {
    const reply = await askService(service, request, { body })
    const isUnknown = reply.status === 401 && reply.body?.code === 'unauthorized'
    if (!isUnknown || service.clock.now() - began >= UNKNOWN_MS) return bodyOf(request, reply).session
    await service.clock.sleep(UNKNOWN_PAUSE_MS, service.signal)
  }
}

/** Revokes a token once, also if the tool is interrupted while the token is being minted. */
function closing(service: Service, space: string, minting: Promise<Minted>): () => Promise<void> {
  let closed: Promise<void> | undefined
  const close = () => {
    closed ??= minting
      .then(
        ({ id }) => revoke(service, space, id),
        () => {},
      )
      .finally(done)
    return closed
  }
  const done = onInterrupt(close)
  return close
}

/** How often, and how far apart, the revocation of a token is tried. */
const REVOKE_ATTEMPTS = 10
const REVOKE_PAUSE_MS = 5_000

/** Retries until the token is revoked. If every attempt fails, reports when the token expires, and does not throw. */
async function revoke({ api, adminToken, clock }: Service, space: string, id: string): Promise<void> {
  const request = `DELETE /api/tokens/${id}`
  let reason = ''
  for (let attempt = 0; attempt < REVOKE_ATTEMPTS; attempt++) {
    if (attempt > 0) await clock.sleep(REVOKE_PAUSE_MS)
    try {
      const reply = await askService({ api, clock }, request, { bearer: adminToken })
      if (reply.status !== 404) bodyOf(request, reply)
      return
    } catch (cause) {
      reason = cause instanceof UserError ? cause.message : String(cause)
    }
  }
  const end = new Date(clock.now() + TOKEN_TTL_MS).toISOString()
  console.error(`Error: ${space}: the token of this run is not revoked. It expires by ${end}: ${reason}`)
  process.exitCode = 1
}

/** Lists the spaces that tokens name, each with the id of its object if the service reports it. */
export async function listNamedSpaces(service: Service): Promise<ReadonlyMap<string, string | undefined>> {
  const spaces = new Map<string, string | undefined>()
  for (let cursor: string | null = ''; cursor !== null; ) {
    const request: string = `GET /api/tokens${cursor === '' ? '' : `?cursor=${encodeURIComponent(cursor)}`}`
    const page = bodyOf(request, await askService(service, request, { bearer: service.adminToken }))
    for (const { space, spaceId } of page.tokens) spaces.set(space, spaceId)
    cursor = page.next
  }
  return new Map([...spaces].sort(([a], [b]) => (a < b ? -1 : 1)))
}

async function send(
  service: Service,
  request: string,
  { session, lines }: { session: string; lines: string | undefined },
): Promise<Response> {
  const headers = {
    authorization: `Bearer ${session}`,
    ...(lines !== undefined && { 'content-type': 'application/x-ndjson' }),
  }
  const init = {
    headers,
    ...(lines !== undefined && { body: lines }),
    ...(service.signal && { signal: service.signal }),
  }
  const { response, ...refused } = await persist(service, () => sendOnce(service.api, request, init))
  return response ?? bodyOf(request, refused)
}

/** Returns a successful response with its body unread. Reads the body of a refusal, which frees its connection. */
async function sendOnce(
  api: string,
  request: string,
  init: RequestInit,
): Promise<Reply & { readonly response?: Response }> {
  const response = await fetchApi(api, request, init)
  const { status, headers } = response
  if (response.ok) return { status, headers, body: undefined, response }
  return { status, headers, body: await response.json().catch(() => response.statusText) }
}
