import { type IRequest, Router, type RouterType } from 'itty-router'
import type { Caller } from '../core/access/session.ts'
import { BY_SESSION } from '../core/audit.ts'
import { parseQuery } from '../schema/parse.ts'
import { NoQuery } from '../schema/query.ts'
import { checkAdmin } from './auth/admin.ts'
import { verifySession } from './auth/session-token.ts'
import { preflight } from './exchange/cors.ts'
import type { Exchange } from './exchange/exchange.ts'
import { inOrder, type Needs } from './exchange/precedence.ts'
import { countAgainst } from './exchange/rate-limit.ts'
import { refusal, unwrap } from './exchange/refusal.ts'
import { type About, recorded } from './kv/audit-log.ts'
import { knownRevision } from './kv/config-store.ts'
import { showAudit } from './routes/audit.ts'
import { closeSession, openSession } from './routes/auth.ts'
import { putConfig, showConfig } from './routes/config.ts'
import { erase } from './routes/erase.ts'
import { health } from './routes/health.ts'
import { live, openOrClose } from './routes/live.ts'
import { openapi } from './routes/openapi.ts'
import { resealSpaces } from './routes/reseal.ts'
import { endSessions } from './routes/sessions.ts'
import { changes, conflicts, entry, history, resolve, status, sync } from './routes/space.ts'
import { issueTicket, ticketOf } from './routes/ticket.ts'
import { mintToken, revokeToken, rotateToken, showTokens } from './routes/tokens.ts'
import { exportSpace, importSpace } from './routes/transfer.ts'

type Answer = (exchange: Exchange) => Promise<Response>
type Act = (exchange: Exchange, about: About) => Promise<Response>
type SessionAnswer = (exchange: Exchange, session: Caller) => Promise<Response>

/** A line of the route table: what it takes to come in is part of it, so that no route can forget to ask. */
export type Route = {
  readonly path: string
  /** Whether the answer parses the query; a route without one refuses every parameter. */
  readonly query?: true
} & (
  | { readonly method: Method; readonly access: 'anyone'; readonly answer: Answer }
  | {
      readonly method: Method
      readonly access: 'session'
      /** What is asked of the session before the shape of the request counts; null takes one that was ended too. */
      readonly needs: Needs | null
      /** Whether it opens a socket: a ticket is taken in the place of the session, and a page is told by a close code. */
      readonly socket?: true
      /** Whether it deals with the whole space, so that a session that may do so leaves a record. */
      readonly recorded?: true
      readonly answer: SessionAnswer
    }
  | { readonly method: 'GET'; readonly access: 'admin'; readonly answer: Answer }
  | { readonly method: Exclude<Method, 'GET'>; readonly access: 'admin'; readonly answer: Act }
)

const VERBS = { GET: 'get', POST: 'post', PUT: 'put', DELETE: 'delete' } as const
type Method = keyof typeof VERBS

const READS = { scopes: ['sync:read'] } as const

export const ROUTES = [
  { method: 'GET', path: '/api/health', access: 'anyone', answer: health },
  { method: 'GET', path: '/api/openapi.json', access: 'anyone', answer: openapi },
  { method: 'POST', path: '/api/auth', access: 'anyone', answer: openSession },
  { method: 'DELETE', path: '/api/auth', access: 'session', needs: null, answer: closeSession },
  { method: 'POST', path: '/api/tokens', access: 'admin', answer: mintToken },
  { method: 'GET', path: '/api/tokens', query: true, access: 'admin', answer: showTokens },
  { method: 'DELETE', path: '/api/tokens/:id', access: 'admin', answer: revokeToken },
  { method: 'POST', path: '/api/tokens/:id/rotate', access: 'admin', answer: rotateToken },
  { method: 'DELETE', path: '/api/sessions', access: 'admin', answer: endSessions },
  { method: 'POST', path: '/api/spaces/reseal', access: 'admin', answer: resealSpaces },
  { method: 'GET', path: '/api/config', access: 'admin', answer: showConfig },
  { method: 'PUT', path: '/api/config', access: 'admin', answer: putConfig },
  { method: 'GET', path: '/api/audit', query: true, access: 'admin', answer: showAudit },
  { method: 'POST', path: '/api/sync', access: 'session', needs: { scopes: [] }, answer: sync },
  { method: 'GET', path: '/api/changes', query: true, access: 'session', needs: READS, answer: changes },
  {
    method: 'GET',
    path: '/api/live',
    query: true,
    access: 'session',
    needs: READS,
    socket: true,
    answer: live,
  },
  { method: 'POST', path: '/api/live/ticket', access: 'session', needs: READS, answer: issueTicket },
  { method: 'GET', path: '/api/status', query: true, access: 'session', needs: READS, answer: status },
  { method: 'GET', path: '/api/entries', query: true, access: 'session', needs: READS, answer: entry },
  { method: 'GET', path: '/api/history', query: true, access: 'session', needs: READS, answer: history },
  { method: 'GET', path: '/api/conflicts', query: true, access: 'session', needs: READS, answer: conflicts },
  {
    method: 'POST',
    path: '/api/conflicts/:id/resolve',
    access: 'session',
    needs: { scopes: ['sync:write', 'sync:read'] },
    answer: resolve,
  },
  {
    method: 'GET',
    path: '/api/export',
    access: 'session',
    needs: { scopes: ['space:admin', 'sync:read'], whole: true },
    recorded: true,
    answer: exportSpace,
  },
  {
    method: 'POST',
    path: '/api/import',
    query: true,
    access: 'session',
    needs: { scopes: ['space:admin'], whole: true },
    recorded: true,
    answer: importSpace,
  },
  {
    method: 'DELETE',
    path: '/api/space',
    access: 'session',
    needs: { scopes: ['space:admin'], whole: true },
    recorded: true,
    answer: erase,
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

/** Each route by method and path, as in `GET /api/status`. */
export type RoutesByName = { [L in Line as NameOf<L>]: L }
type NameOf<L extends Route> = `${L['method']} ${L['path']}`

/** The routes as itty-router runs them. A known path under another method is a 405 or a preflight, all else a 404. */
export function router(): RouterType<IRequest, [Exchange]> {
  const table = Router<IRequest, [Exchange]>({ before: [refuseTrailingSlash] })
  for (const route of ROUTES) {
    table[VERBS[route.method]](route.path, ({ params }, exchange) => enter(route, { ...exchange, params }))
  }
  for (const path of new Set(ROUTES.map((route) => route.path))) table.all(path, otherMethod(path))
  return table.all('*', nowhere)
}

/** itty-router forgives it: a rule in front of the Worker that names a path would miss its other spelling. */
function refuseTrailingSlash({ url }: IRequest): void {
  if (new URL(url).pathname.endsWith('/')) nowhere()
}

async function enter(route: Route, exchange: Exchange): Promise<Response> {
  if (route.access === 'session') {
    const open = () => enterWithSession(route, exchange)
    return route.socket ? openOrClose(exchange, open) : open()
  }
  if (route.access === 'admin') return enterAsOperator(route, exchange)
  checkQuery(route, exchange)
  return route.answer(exchange)
}

async function enterWithSession(
  route: Extract<Route, { access: 'session' }>,
  exchange: Exchange,
): Promise<Response> {
  const { request, env } = exchange
  const ticket = route.socket ? await ticketOf(request, env) : undefined
  const session = ticket?.session ?? (await verifySession(request, env))
  await countAgainst(env.SYNC_LIMIT, `${session.space}/${session.client}`)
  const answer = async () => {
    checkQuery(route, exchange)
    return route.answer({ ...exchange, ticket }, { ...session, configRevision: knownRevision(env) })
  }
  const { needs } = route
  const answerInOrder = () =>
    needs === null ? answer() : answer().catch((thrown) => inOrder(exchange, session, { needs, thrown }))
  if (!route.recorded || !session.scopes.includes('space:admin')) return answerInOrder()
  const { token: tokenId, subject, space } = session
  return recorded(exchange, { act: actOf(route), admin: BY_SESSION }, (about) => {
    about({ tokenId, subject, space })
    return answerInOrder()
  })
}

/** What may change something is recorded here, so that no route can forget to; who does not get in leaves no record. */
async function enterAsOperator(
  route: Extract<Route, { access: 'admin' }>,
  exchange: Exchange,
): Promise<Response> {
  const admin = await checkAdmin(exchange)
  if (route.method === 'GET') {
    checkQuery(route, exchange)
    return route.answer(exchange)
  }
  return recorded(exchange, { act: actOf(route), admin }, async (about) => {
    checkQuery(route, exchange)
    return route.answer(exchange, about)
  })
}

function checkQuery(route: Route, { query }: Exchange): void {
  if (route.query === undefined) unwrap(parseQuery(NoQuery, query))
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
  throw refusal({ code: 'not-found', detail: 'no such endpoint; see docs/spec.md' })
}
