import { StartError } from '../local/start-error.ts'
import { callApi, type Reply } from './api-client.ts'

/** A service and the operator's way in. */
export interface Service {
  readonly api: string
  readonly adminToken: string
}

/** A session in one space, with a token that is taken back at the end. */
export interface SpaceAccess {
  call(request: string, body?: unknown): Promise<Reply['body']>
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
    scopes: ['sync:read', 'sync:write'],
    expiresAt: Date.now() + TOKEN_TTL_MS,
    name: clientId,
  }
  const { token, id } = await ask(api, 'POST /api/tokens', { bearer: adminToken, body: wanted })
  const { session } = await ask(api, 'POST /api/auth', { body: { token, clientId } })
  return {
    call: (request, body) => ask(api, request, { bearer: session, ...(body !== undefined && { body }) }),
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

/** What the service refuses, with its code. */
export class Refusal extends StartError {
  readonly code: string

  constructor(message: string, code: string) {
    super(message)
    this.code = code
  }
}

/** The body of a reply that is not a refusal. */
async function ask(
  api: string,
  request: string,
  call: Parameters<typeof callApi>[2],
): Promise<Reply['body']> {
  const { status, body } = await callApi(api, request, call)
  if (status < 300) return body
  throw new Refusal(`${request} answered ${status}: ${body.detail ?? body}`, body.code)
}
