import type { RequestLike } from 'itty-router'
import { type Secrets, unfitSecrets } from '../core/access/secrets.ts'
import { MAX_QUERY_PARAMETERS } from '../core/values/limits.ts'
import { exposeTo } from './exchange/cors.ts'
import type { HTTPError } from './exchange/errors.ts'
import { type Exchange, OF_EVERY_REPLY } from './exchange/exchange.ts'
import { recordRequest } from './exchange/metrics.ts'
import { problem, toHttpError } from './exchange/problem.ts'
import { countFailure } from './exchange/rate-limit.ts'
import { refusal } from './exchange/refusal.ts'
import { countDefect } from './exchange/registry.ts'
import { logAbsence, logDefect, logRequest, logUnfit, traceRequest } from './exchange/telemetry.ts'
import { router, spelledOut } from './router.ts'
import { ClosedSocket } from './routes/live.ts'

const run = router()

/** Handles any request: returns the route's reply or a problem document, with the headers of every reply. */
export async function handle(request: Request, env: Env): Promise<Response> {
  const began = Date.now()
  const requestId = requestIdOf(request)
  const { pathname: path, searchParams: query } = new URL(request.url)
  const exchange: Exchange = { request, env, requestId, began, path, query, params: {}, effects: {} }
  traceRequest(exchange)
  const { response, route, error } = await respond(exchange)
  finish(response.headers, exchange)
  const { method } = request
  const { status } = response
  const { tally } = exchange.effects
  const ending = { method, route, status, code: error?.code, ms: Date.now() - began, tally }
  logRequest(exchange, ending)
  recordRequest(exchange, ending)
  return method === 'HEAD' ? new Response(null, response) : response
}

interface Reply {
  readonly response: Response
  readonly route: string
  readonly error?: HTTPError
}

async function respond(exchange: Exchange): Promise<Reply> {
  const { method, url } = exchange.request
  // The router adds `route`, and itty-router `params` and `query`.
  const routed: RequestLike = { method: method === 'HEAD' ? 'GET' : method, url }
  try {
    checkSecrets(exchange)
    checkQueryCount(exchange)
    const response = await run(routed, exchange).catch((thrown) => countFailure(exchange, thrown))
    return { response, route: spelledOut(routed.route) }
  } catch (thrown) {
    const error = toHttpError(thrown)
    if (error !== thrown) logUnexpected(exchange, error.code, thrown)
    return { ...refuse(exchange, error), route: spelledOut(routed.route ?? 'none') }
  }
}

/** Logs an error that is no refusal of ours. An absent space passes by itself. Anything else is a defect. */
function logUnexpected(exchange: Exchange, code: string, thrown: unknown): void {
  if (code === 'busy') {
    logAbsence(exchange, thrown)
    return
  }
  logDefect(exchange, thrown)
  countDefect(exchange.env)
}

/** The refusal as a response; a bare 500 if an error from code in front of a space cannot be serialised. */
function refuse(exchange: Exchange, error: HTTPError): Omit<Reply, 'route'> {
  try {
    const isSocket = error instanceof ClosedSocket
    return { response: isSocket ? error.response() : problem(error, exchange.requestId), error }
  } catch (thrown) {
    logDefect(exchange, thrown)
    const internal = refusal({ code: 'internal' })
    return { response: problem(internal, exchange.requestId), error: internal }
  }
}

function finish(headers: Headers, { request, env, requestId }: Exchange): void {
  headers.set('x-request-id', requestId)
  if (!headers.has('x-content-type-options')) complete(headers)
  exposeTo(request, env.CORS_ORIGINS, headers)
}

/** Adds the headers of every reply to a reply that was not made with them. */
function complete(headers: Headers): void {
  if (!headers.has('cache-control')) headers.set('cache-control', OF_EVERY_REPLY['cache-control'])
  headers.set('x-content-type-options', OF_EVERY_REPLY['x-content-type-options'])
  headers.append('vary', OF_EVERY_REPLY.vary)
}

/**
 * The client's request id, so that its log and the service's can be joined. Accepted only if it is safe to log and does
 * not look like a token in the wrong header.
 */
function requestIdOf(request: Request): string {
  const given = request.headers.get('x-request-id') ?? ''
  return /^(?!chr_|adm_)[A-Za-z0-9_-]{1,64}$/.test(given) ? given : crypto.randomUUID()
}

/** Counts query parameters before itty-router parses them, because its work grows with the square of their number. */
function checkQueryCount({ query }: Exchange): void {
  if (query.size <= MAX_QUERY_PARAMETERS) return
  throw refusal({ code: 'invalid-request', detail: 'too many query parameters' })
}

/** The secrets that were last found fit, and their environment. An isolate serves one stack. */
let fit: Pick<Env, keyof Secrets | 'ENVIRONMENT'> | undefined

/** Refuses to serve with secrets that others could know. The log names the secret, the reply does not. */
function checkSecrets(exchange: Exchange): void {
  const { ADMIN_TOKEN, MASTER_KEY, SESSION_KEY, ENVIRONMENT } = exchange.env
  const isFit =
    fit?.ENVIRONMENT === ENVIRONMENT &&
    fit.ADMIN_TOKEN === ADMIN_TOKEN &&
    fit.MASTER_KEY === MASTER_KEY &&
    fit.SESSION_KEY === SESSION_KEY
  if (isFit) return
  const unfit = unfitSecrets(exchange.env, ENVIRONMENT)
  if (unfit.length > 0) {
    logUnfit(exchange, unfit)
    throw refusal({ code: 'misconfigured' })
  }
  fit = { ADMIN_TOKEN, MASTER_KEY, SESSION_KEY, ENVIRONMENT }
}
