import { env } from 'cloudflare:workers'
import type { Session } from '../../worker/src/core/session.ts'
import { answer } from '../../worker/src/http/edge.ts'
import { ROUTES, type Route } from '../../worker/src/http/router.ts'
import { signSession } from '../../worker/src/http/session.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Whether the checks that take minutes run whole. */
    readonly thorough: boolean
  }
}

const ORIGIN = 'https://sync.example'

/** A Worker that counts how often it reaches for an object, and refuses nobody for asking too often. */
export interface Stronghold {
  ask(path: string, init?: RequestInit): Promise<Response>
  /** Since the last time of asking. */
  reached(): number
}

export function stronghold(changed: Partial<Env> = {}): Stronghold {
  let reached = 0
  const CHRONICLE = new Proxy(env.CHRONICLE, {
    get(namespace, name) {
      reached += 1
      const member: unknown = Reflect.get(namespace, name)
      return typeof member === 'function' ? member.bind(namespace) : member
    },
  })
  const patient = { limit: async () => ({ success: true }) }
  const here = { ...env, AUTH_LIMIT: patient, SYNC_LIMIT: patient, ...changed, CHRONICLE }
  return {
    ask: (path, init = {}) => answer(new Request(ORIGIN + path, init), here),
    reached() {
      const counted = reached
      reached = 0
      return counted
    },
  }
}

/** A session that the Worker accepts, but for what is changed. */
export function sessionLike(changed: Partial<Session> = {}, environment: Partial<Env> = {}): Promise<string> {
  const now = Date.now()
  const session: Session = {
    id: crypto.randomUUID(),
    token: 't',
    subject: 's',
    space: crypto.randomUUID(),
    client: 'c',
    scopes: ['sync:read', 'sync:write', 'space:admin'],
    collections: null,
    issuedAt: now,
    expiresAt: Math.floor(now / 1000) + 600,
    ...changed,
  }
  return signSession(session, { ...env, ...environment })
}

export type RouteName = (typeof ROUTES)[number] extends infer L
  ? L extends Route
    ? `${L['method']} ${L['path']}`
    : never
  : never

export function nameOf({ method, path }: Route): RouteName {
  return `${method} ${path}` as RouteName
}

/** Routes that take this kind of credential. */
export function routesFor(access: Route['access']): readonly Route[] {
  return ROUTES.filter((route) => route.access === access)
}

const JSON_TYPE = { 'content-type': 'application/json' }
const NDJSON_TYPE = { 'content-type': 'application/x-ndjson' }
const EXPORT_HEADER = {
  type: 'header',
  format: 'chronicle-export',
  version: 1,
  space: 's',
  epoch: 'e',
  head: 'e.0',
  exportedAt: 1,
}

/** A request that every route takes from who may send it; a route without a line here does not compile. */
const BODIES: { readonly [Name in RouteName]: object | string | null } = {
  'GET /api/health': null,
  'GET /api/openapi.json': null,
  'POST /api/auth': { token: 'none' },
  'DELETE /api/auth': null,
  'POST /api/tokens': { subject: 'ann', scopes: ['sync:read'] },
  'GET /api/tokens': null,
  'DELETE /api/tokens/:id': null,
  'DELETE /api/sessions': { subject: 'ann', space: 'ann' },
  'GET /api/config': null,
  'PUT /api/config': { revision: 0 },
  'POST /api/sync': { changes: [{ key: 'a/1', value: 1, timestamp: 1 }], cursor: null },
  'GET /api/live': null,
  'GET /api/changes': null,
  'GET /api/status': null,
  'GET /api/entries': null,
  'GET /api/history': null,
  'GET /api/conflicts': null,
  'POST /api/conflicts/:id/resolve': { choice: 'winner', base: null },
  'GET /api/export': null,
  'POST /api/import': `${JSON.stringify(EXPORT_HEADER)}\n{"type":"end","entries":0,"cursor":"e.0"}\n`,
  'DELETE /api/space': { confirm: 's' },
}

const QUERIES: { readonly [Name in RouteName]?: string } = {
  'GET /api/entries': '?key=a/1',
  'GET /api/history': '?key=a/1',
}

/** A request to a route that is in order, but for who sends it. `body`: instead of the usual one. */
export function requestTo(
  route: Route,
  { bearer, body }: { readonly bearer?: string | undefined; readonly body?: object } = {},
): readonly [path: string, init: RequestInit] {
  const name = nameOf(route)
  const sent = body ?? BODIES[name]
  const type = typeof sent === 'string' ? NDJSON_TYPE : sent === null ? {} : JSON_TYPE
  const init = {
    method: route.method,
    headers: {
      ...type,
      ...(name === 'GET /api/live' && { upgrade: 'websocket' }),
      ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }),
    },
    ...(sent !== null && { body: typeof sent === 'string' ? sent : JSON.stringify(sent) }),
  }
  return [`${route.path.replace(':id', '1')}${QUERIES[name] ?? ''}`, init]
}

/** Sends JSON and reads JSON. Faster than through the runtime, of which it asks no limits. */
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

/** A new token of some rights, and a session of it. */
export async function enrol(
  talk: Talk,
  wanted: object,
  clientId: string = crypto.randomUUID(),
): Promise<{ readonly token: string; readonly tokenId: string; readonly session: string }> {
  const scopes = ['sync:read', 'sync:write', 'space:admin']
  const minted = await talk('POST', '/api/tokens', {
    body: { subject: 'ann', scopes, ...wanted },
    bearer: env.ADMIN_TOKEN,
  })
  const { token, id: tokenId } = minted.body
  const { body } = await talk('POST', '/api/auth', { body: { token, clientId } })
  return { token, tokenId, session: body.session }
}
