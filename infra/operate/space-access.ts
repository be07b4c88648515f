import { StartError } from '../local/start-error.ts'
import { callApi, type Reply } from './api-client.ts'

/** A service and the operator's way in. */
export interface Service {
  readonly api: string
  readonly adminToken: string
}

/** A session in one space, with a token that is taken back at the end. */
export interface SpaceAccess {
  /** Sends a request, with lines of NDJSON if it has a body; rejects with one line unless it is answered well. */
  send(request: string, lines?: string): Promise<Response>
  close(): Promise<void>
}

/** How long the token lives if nobody is left to revoke it. */
const TOKEN_TTL_MS = 60 * 60_000

/** Opens a space as the operator may: by minting a token for it. */
export async function openSpace(
  { api, adminToken }: Service,
  space: string,
  clientId: string,
): Promise<SpaceAccess> {
  const wanted = {
    subject: clientId,
    space,
    scopes: ['sync:read', 'space:admin'],
    expiresAt: Date.now() + TOKEN_TTL_MS,
    name: clientId,
  }
  const { token, id } = await ask(api, 'POST /api/tokens', { bearer: adminToken, body: wanted })
  const { session } = await ask(api, 'POST /api/auth', { body: { token, clientId } })
  return {
    send: (request, lines) => send(api, request, { session, lines }),
    close: () => ask(api, `DELETE /api/tokens/${id}`, { bearer: adminToken }),
  }
}

/** Every space that a token names: those are all that clients can reach. */
export async function listSpaces({ api, adminToken }: Service): Promise<readonly string[]> {
  const spaces = new Set<string>()
  let cursor: string | null = ''
  while (cursor !== null) {
    const query: string = cursor === '' ? '' : `?cursor=${encodeURIComponent(cursor)}`
    const page = await ask(api, `GET /api/tokens${query}`, { bearer: adminToken })
    for (const { space } of page.tokens) spaces.add(space)
    cursor = page.next
  }
  return [...spaces].sort()
}

async function send(
  api: string,
  request: string,
  { session, lines }: { session: string; lines: string | undefined },
): Promise<Response> {
  const [method = '', path = ''] = request.split(' ')
  const authorization = `Bearer ${session}`
  const response = await fetch(api + path, {
    method,
    headers: { authorization, ...(lines !== undefined && { 'content-type': 'application/x-ndjson' }) },
    ...(lines !== undefined && { body: lines }),
  })
  if (response.ok) return response
  throw refusal(request, response.status, await response.json().catch(() => ({})))
}

/** The body of a reply that is not a refusal. */
async function ask(
  api: string,
  request: string,
  call: Parameters<typeof callApi>[2],
): Promise<Reply['body']> {
  const { status, body } = await callApi(api, request, call)
  if (status < 300) return body
  throw refusal(request, status, body)
}

function refusal(request: string, status: number, body: Reply['body']): StartError {
  return new StartError(`${request} answered ${status}: ${body.detail ?? body}`)
}
