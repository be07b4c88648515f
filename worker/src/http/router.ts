import { type IRequest, type RequestLike, Router, type RouterType } from 'itty-router'
import type { Caller } from '../core/access/session.ts'
import { BY_SESSION } from '../core/audit.ts'
import { parseQuery } from '../schema/parse.ts'
import { NoQuery } from '../schema/request/query.ts'
import { checkAdmin } from './auth/admin.ts'
import { checkMonitor } from './auth/monitor.ts'
import { verifySession } from './auth/session-token.ts'
import { preflight } from './exchange/cors.ts'
import type { Exchange, OperatorExchange } from './exchange/exchange.ts'
import { type Needs, rethrowInOrder } from './exchange/precedence.ts'
import { countAgainst } from './exchange/rate-limit.ts'
import { refusal, unwrap } from './exchange/refusal.ts'
import { type AddTarget, audited } from './kv/audit-log.ts'
import { knownRevision } from './kv/config-store.ts'
import { showAudit } from './routes/audit.ts'
import { closeSession, openSession } from './routes/auth.ts'
import { putConfig, showConfig } from './routes/config.ts'
import { devices } from './routes/devices.ts'
import { erase } from './routes/erase.ts'
import { health } from './routes/health.ts'
import { live, openOrClose } from './routes/live.ts'
import { showMetrics } from './routes/metrics.ts'
import { openapi } from './routes/openapi.ts'
import { openOperatorSession } from './routes/operator-session.ts'
import { resealSpaces } from './routes/reseal.ts'
import { endSessions } from './routes/sessions.ts'
import { changes, conflicts, entries, history, resolve, status, sync } from './routes/space.ts'
import { showSpaces } from './routes/spaces.ts'
import { issueTicket, ticketOf } from './routes/ticket.ts'
import { mintToken, revokeToken, rotateToken, showTokens } from './routes/tokens.ts'
import { exportSpace, importSpace } from './routes/transfer.ts'

type Answer = (exchange: Exchange) => Promise<Response>
type Act = (exchange: OperatorExchange, addTarget: AddTarget) => Promise<Response>
type SessionAnswer = (exchange: Exchange, session: Caller) => Promise<Response>

/** One line of the route table. The required credential is part of it, so that no route can forget to check it. */
export type Route = {
  readonly path: string
  /** Whether the route parses the query. Other routes refuse every parameter. */
  readonly query?: true
} & (
  | { readonly method: Method; readonly access: 'anyone'; readonly handle: Answer }
  | {
      readonly method: Method
      readonly access: 'session'
      /**
       * The rights that the session needs, checked before the form of the request. With null, an ended session is
       * accepted too.
       */
      readonly needs: Needs | null
      /**
       * Whether the route opens a socket: it accepts a ticket in place of a session, and tells a page by a close code.
       */
      readonly socket?: true
      /**
       * Audits the use of the route: by everyone if it acts on the whole space, and by operators' sessions if it writes.
       */
      readonly audited?: 'everyone' | 'operators'
      readonly handle: SessionAnswer
    }
  | { readonly method: 'GET'; readonly access: 'monitor'; readonly handle: Answer }
  | { readonly method: 'GET'; readonly access: 'admin'; readonly handle: Answer }
  | { readonly method: Exclude<Method, 'GET'>; readonly access: 'admin'; readonly handle: Act }
)

const VERBS = { GET: 'get', POST: 'post', PUT: 'put', DELETE: 'delete' } as const
type Method = keyof typeof VERBS

const READS = { scopes: ['sync:read'] } as const

export const ROUTES = [
  { method: 'GET', path: '/api/health', access: 'anyone', handle: health },
  { method: 'GET', path: '/api/openapi.json', access: 'anyone', handle: openapi },
  { method: 'POST', path: '/api/auth', access: 'anyone', handle: openSession },
  { method: 'DELETE', path: '/api/auth', access: 'session', needs: null, handle: closeSession },
  { method: 'POST', path: '/api/tokens', access: 'admin', handle: mintToken },
  { method: 'GET', path: '/api/tokens', query: true, access: 'admin', handle: showTokens },
  { method: 'DELETE', path: '/api/tokens/:id', access: 'admin', handle: revokeToken },
  { method: 'POST', path: '/api/tokens/:id/rotate', access: 'admin', handle: rotateToken },
  { method: 'POST', path: '/api/sessions', access: 'admin', handle: openOperatorSession },
  { method: 'DELETE', path: '/api/sessions', access: 'admin', handle: endSessions },
  { method: 'GET', path: '/api/spaces', query: true, access: 'admin', handle: showSpaces },
  { method: 'POST', path: '/api/spaces/reseal', access: 'admin', handle: resealSpaces },
  { method: 'GET', path: '/api/config', access: 'admin', handle: showConfig },
  { method: 'PUT', path: '/api/config', access: 'admin', handle: putConfig },
  { method: 'GET', path: '/api/audit', query: true, access: 'admin', handle: showAudit },
  { method: 'GET', path: '/api/metrics', access: 'monitor', handle: showMetrics },
  {
    method: 'POST',
    path: '/api/sync',
    access: 'session',
    needs: { scopes: [] },
    audited: 'operators',
    handle: sync,
  },
  { method: 'GET', path: '/api/changes', query: true, access: 'session', needs: READS, handle: changes },
  {
    method: 'GET',
    path: '/api/live',
    query: true,
    access: 'session',
    needs: READS,
    socket: true,
    handle: live,
  },
  { method: 'POST', path: '/api/live/ticket', access: 'session', needs: READS, handle: issueTicket },
  { method: 'GET', path: '/api/status', query: true, access: 'session', needs: READS, handle: status },
  { method: 'GET', path: '/api/entries', query: true, access: 'session', needs: READS, handle: entries },
  {
    method: 'GET',
    path: '/api/clients',
    query: true,
    access: 'session',
    needs: { scopes: ['space:read'], whole: true },
    handle: devices,
  },
  { method: 'GET', path: '/api/history', query: true, access: 'session', needs: READS, handle: history },
  { method: 'GET', path: '/api/conflicts', query: true, access: 'session', needs: READS, handle: conflicts },
  {
    method: 'POST',
    path: '/api/conflicts/:id/resolve',
    access: 'session',
    needs: { scopes: ['sync:write', 'sync:read'] },
    audited: 'operators',
    handle: resolve,
  },
  {
    method: 'GET',
    path: '/api/export',
    access: 'session',
    needs: { scopes: ['space:admin', 'sync:read'], whole: true },
    audited: 'everyone',
    handle: exportSpace,
  },
  {
    method: 'POST',
    path: '/api/import',
    query: true,
    access: 'session',
    needs: { scopes: ['space:admin'], whole: true },
    audited: 'everyone',
    handle: importSpace,
  },
  {
    method: 'DELETE',
    path: '/api/space',
    access: 'session',
    needs: { scopes: ['space:admin'], whole: true },
    audited: 'everyone',
    handle: erase,
  },
] as const satisfies readonly Route[]

/** A path as the documents write it: itty-router's `:id` is `{id}` in every reply, record and log line. */
export function spelledOut(path: string): string {
  return path.replace(/:(\w+)/g, '{$1}')
}

function actOf({ method, path }: Route): string {
  return `${method} ${spelledOut(path)}`
}

type Line = (typeof ROUTES)[number]

/** Each route by method and path, such as `GET /api/status`. */
export type RoutesByName = { [L in Line as NameOf<L>]: L }
type NameOf<L extends Route> = `${L['method']} ${L['path']}`

/** Runs the route of a request, and notes the path of that route in `routed`, as itty-router does. */
export type RunRoute = (routed: RequestLike, exchange: Exchange) => Promise<Response>

/**
 * Finds most routes by their names: itty-router takes longer to find a route than the rest of the edge takes. Everything
 * else is itty-router's.
 */
export function router(): RunRoute {
  const table = matchingRouter()
  const byName = new Map<string, Route>(
    ROUTES.filter(({ path }) => !path.includes(':')).map((route) => [`${route.method} ${route.path}`, route]),
  )
  return async (routed, exchange) => {
    const route = byName.get(`${routed.method} ${exchange.path}`)
    if (route === undefined) return table.fetch(routed, exchange)
    routed.route = route.path
    return enter(route, exchange)
  }
}

/**
 * The routes as itty-router runs them. A known path with another method is a 405 or a preflight, anything else a 404.
 */
function matchingRouter(): RouterType<IRequest, [Exchange]> {
  const table = Router<IRequest, [Exchange]>({ before: [refuseTrailingSlash] })
  for (const route of ROUTES) {
    table[VERBS[route.method]](route.path, ({ params }, exchange) => enter(route, { ...exchange, params }))
  }
  for (const path of new Set(ROUTES.map((route) => route.path))) table.all(path, otherMethod(path))
  return table.all('*', nowhere)
}

/**
 * itty-router ignores a trailing slash, but a rule in front of the Worker that names a path would miss the other
 * spelling.
 */
function refuseTrailingSlash(_: IRequest, { path }: Exchange): void {
  if (path.endsWith('/')) nowhere()
}

async function enter(route: Route, exchange: Exchange): Promise<Response> {
  if (route.access === 'session') {
    const open = () => enterWithSession(route, exchange)
    return route.socket ? openOrClose(exchange, open) : open()
  }
  if (route.access === 'admin') return enterAsOperator(route, exchange)
  if (route.access === 'monitor') await checkMonitor(exchange)
  checkQuery(route, exchange)
  return route.handle(exchange)
}

async function enterWithSession(
  route: Extract<Route, { access: 'session' }>,
  exchange: Exchange,
): Promise<Response> {
  const { request, env } = exchange
  const ticket = route.socket ? await ticketOf(request, env) : undefined
  const session = ticket?.session ?? (await verifySession(request, env))
  await countAgainst(env.SYNC_LIMIT, `${session.space}/${session.client}`)
  const run = async () => {
    checkQuery(route, exchange)
    return route.handle({ ...exchange, ticket }, { ...session, configRevision: knownRevision(env) })
  }
  const { needs } = route
  const runInOrder = () =>
    needs === null ? run() : run().catch((thrown) => rethrowInOrder(exchange, session, { needs, thrown }))
  if (!isAudited(route, session)) return runInOrder()
  const { token: tokenId, subject, space, operator: admin = BY_SESSION } = session
  return audited(exchange, { act: actOf(route), admin }, (addTarget) => {
    addTarget({ tokenId, subject, space })
    return runInOrder()
  })
}

function isAudited(
  { audited }: Extract<Route, { access: 'session' }>,
  { operator, scopes }: Caller,
): boolean {
  if (audited === undefined) return false
  return operator !== undefined || (audited === 'everyone' && scopes.includes('space:admin'))
}

/**
 * Acts that may change something are audited here, so that no route can forget to. A refused credential leaves no
 * record.
 */
async function enterAsOperator(
  route: Extract<Route, { access: 'admin' }>,
  exchange: Exchange,
): Promise<Response> {
  const admin = await checkAdmin(exchange)
  if (route.method === 'GET') {
    checkQuery(route, exchange)
    return route.handle(exchange)
  }
  return audited(exchange, { act: actOf(route), admin }, async (addTarget) => {
    checkQuery(route, exchange)
    return route.handle({ ...exchange, operator: admin }, addTarget)
  })
}

function checkQuery(route: Route, { query }: Exchange): void {
  if (route.query === undefined && query.size > 0) unwrap(parseQuery(NoQuery, query))
}

function otherMethod(path: string): (request: IRequest, exchange: Exchange) => Response {
  const allow = [...methodsOf(path), 'OPTIONS']
  return (_, { request, env }) => {
    if (request.method === 'OPTIONS') return preflight(request, env.CORS_ORIGINS, allow)
    throw refusal({ code: 'method-not-allowed', allow })
  }
}

function methodsOf(path: string): readonly string[] {
  const methods = ROUTES.filter((route) => route.path === path).map(({ method }) => method)
  return methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]))
}

function nowhere(): never {
  throw refusal({ code: 'not-found', detail: 'no such endpoint (GET /api/openapi.json lists them)' })
}
