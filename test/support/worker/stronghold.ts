import { env } from 'cloudflare:workers'
import { inject } from 'vitest'
import type { Session } from '../../../worker/src/core/access/session.ts'
import { signSession } from '../../../worker/src/http/auth/session-token.ts'
import { handle } from '../../../worker/src/http/edge.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Whether checks that take minutes run in full. */
    readonly thorough: boolean
  }
}

/** Timeout of a test that sends thousands of requests, ms. On a busy machine each takes ten times as long as alone. */
export const CAMPAIGN_TIMEOUT_MS = inject('thorough') ? 3_600_000 : 180_000

const JSON_TYPE = { 'content-type': 'application/json' }

const ORIGIN = 'https://sync.example'

/** Worker without rate limits that counts its calls of objects. */
export interface Stronghold {
  ask(path: string, init?: RequestInit): Promise<Response>
  /** Calls of objects since the last `reached()`. */
  reached(): number
}

export function stronghold(changed: Partial<Env> = {}): Stronghold {
  let reached = 0
  const CHRONICLE = new Proxy(env.CHRONICLE, {
    get(namespace, name) {
      // Reading the id of an object wakes none.
      if (name === 'get' || name === 'getByName') reached += 1
      const member: unknown = Reflect.get(namespace, name)
      return typeof member === 'function' ? member.bind(namespace) : member
    },
  })
  const patient = { limit: async () => ({ success: true }) }
  const limits = { AUTH_LIMIT: patient, FAILURE_LIMIT: patient, SYNC_LIMIT: patient }
  const here = { ...env, ...limits, ...changed, CHRONICLE }
  return {
    ask: (path, init = {}) => handle(new Request(ORIGIN + path, init), here),
    reached() {
      const counted = reached
      reached = 0
      return counted
    },
  }
}

/** Signs a session that the Worker accepts, with some fields changed. */
export function sessionLike(changed: Partial<Session> = {}, environment: Partial<Env> = {}): Promise<string> {
  const now = Date.now()
  const session: Session = {
    id: crypto.randomUUID(),
    token: 't',
    subject: 's',
    space: crypto.randomUUID(),
    client: 'c',
    scopes: ['sync:read', 'sync:write', 'space:read', 'space:admin'],
    collections: null,
    issuedAt: now,
    expiresAt: Math.floor(now / 1000) + 600,
    ...changed,
  }
  return signSession(session, { ...env, ...environment })
}

/** Sends JSON and reads JSON, faster than through the runtime and without its rate limits. */
export type Talk = (
  method: string,
  path: string,
  options?: { readonly body?: object; readonly bearer?: string },
  // The tests read replies as an untyped client does.
  // biome-ignore lint/suspicious/noExplicitAny: see above
) => Promise<{ readonly status: number; readonly headers: Headers; readonly body: any }>

export function talkTo(target: Stronghold): Talk {
  return async (method, path, { body, bearer } = {}) => {
    const response = await target.ask(path, {
      method,
      headers: {
        ...(body !== undefined && JSON_TYPE),
        ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    return { status: response.status, headers: response.headers, body: text === '' ? null : JSON.parse(text) }
  }
}

/** Mints a token with some rights, and opens a session. */
export async function enrol(
  talk: Talk,
  wanted: object,
  clientId: string = crypto.randomUUID(),
): Promise<{ readonly token: string; readonly tokenId: string; readonly session: string }> {
  const scopes = ['sync:read', 'sync:write', 'space:read', 'space:admin']
  const minted = await talk('POST', '/api/tokens', {
    body: { subject: 'ann', scopes, ...wanted },
    bearer: env.ADMIN_TOKEN,
  })
  const { token, id: tokenId } = minted.body
  const { body } = await talk('POST', '/api/auth', { body: { token, clientId } })
  return { token, tokenId, session: body.session }
}
