import { owe } from '../../cli/command-line.ts'
import { UserError } from '../../cli/user-error.ts'
import { bodyOf, callApi, fetchApi, type Reply } from './api-client.ts'
import { askService, persist, type Service } from './persist.ts'

/** A session in one space. */
export interface SpaceAccess {
  /** The id under which the platform lists its object; undefined if the service is too old to tell. */
  readonly spaceId: string | undefined
  /** Sends a request, with lines of NDJSON if it has a body; rejects with one line unless it is answered well. */
  send(request: string, lines?: string): Promise<Response>
  /** Asks for JSON, and waits as it is told, unless the space is being filled. */
  ask(request: string): Promise<Reply>
}

/** How long the token lives if nobody is left to revoke it: as long as the longest export, which ends with its session. */
const TOKEN_TTL_MS = 60 * 60_000

/**
 * How long a token that was just minted may be unknown: a place of the platform that looked for it before, or anything
 * that it takes for the same, goes on not finding it for a minute (KV caches a miss as it does a value).
 */
const UNKNOWN_MS = 90_000
const UNKNOWN_PAUSE_MS = 5_000

/** Does some work in a space as the operator may: with a token that is minted for it, and taken back in the end. */
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

/** Exchanges a token that was just minted for a session, as soon as it is known where it is shown. */
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

/** Takes a token back once, whoever asks: also when the tool is interrupted while it is being minted. */
function closing(service: Service, space: string, minting: Promise<Minted>): () => Promise<void> {
  let closed: Promise<void> | undefined
  const close = () => {
    closed ??= minting
      .then(
        ({ id }) => revoke(service, space, id),
        () => {},
      )
      .finally(settle)
    return closed
  }
  const settle = owe(close)
  return close
}

/** How often a service that does not answer is asked to revoke a token, and how long to wait in between. */
const REVOKE_ATTEMPTS = 10
const REVOKE_PAUSE_MS = 5_000

/** Asks until the token is gone. If it cannot be helped the token ends by itself: that is said, and is no other failure. */
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
  console.error(
    `Error: ${space}: its token is not taken back and ends by itself, at ${end} at the latest: ${reason}`,
  )
  process.exitCode = 1
}

/** The spaces that tokens name, each with the id of its object if the service tells it. */
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

/** A response that is good is handed on with its body unread, any other one is read: its connection is free again. */
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
