import { OPENING_HEADER, type Session } from '../../core/access/session.ts'
import type { Fault } from '../../core/fault.ts'
import { ENDINGS, endingOf, type SocketEnding } from '../../core/socket-ending.ts'
import { parseQuery } from '../../schema/parse.ts'
import { LiveQuery } from '../../schema/request/query.ts'
import { offersCredential, subprotocols } from '../auth/session-token.ts'
import { isFromAllowed } from '../exchange/cors.ts'
import { HTTPError } from '../exchange/errors.ts'
import { type Exchange, spaceOf } from '../exchange/exchange.ts'
import { toHttpError } from '../exchange/problem.ts'
import { absent, refusal, unwrap } from '../exchange/refusal.ts'
import { logAbsence } from '../exchange/telemetry.ts'

const PROTOCOL = 'chronicle.v1'

/** `GET /api/live?cursor=&collections=`: opens a socket on which the client follows the feed and pushes. */
export async function live({ request, env, query, ticket }: Exchange, owner: Session): Promise<Response> {
  const wanted = unwrap(parseQuery(LiveQuery, query))
  if (!isUpgrade(request)) throw refusal({ code: 'upgrade-required' })
  if (!isOriginFit(request, env)) throw refusal({ code: 'forbidden-origin' })
  const protocol = chooseProtocol(request)
  const session = owner.operator === undefined ? owner : readingOnly(owner)
  const opening = { session, query: wanted, ticket: ticket && { id: ticket.id, expiresAt: ticket.expiresAt } }
  const opened = await spaceOf(env, session)
    // A request that opens a socket has no body, so the session goes into a header. Header values are bytes.
    .fetch('https://space/', {
      headers: { upgrade: 'websocket', [OPENING_HEADER]: encodeURIComponent(JSON.stringify(opening)) },
    })
    .catch(explain)
  const { webSocket } = opened
  // Without a socket, the body is the object's fault.
  if (webSocket === null) throw refusal((await opened.json()) as Fault)
  return new Response(null, {
    status: 101,
    webSocket,
    headers: protocol === null ? {} : { 'sec-websocket-protocol': protocol },
  })
}

/** An operator writes only in requests, each of which is in the audit (OS2). */
function readingOnly(session: Session): Session {
  return { ...session, scopes: session.scopes.filter((scope) => scope === 'sync:read') }
}

/** An object of the previous release looks for another header, and fails to parse its absence as JSON. */
function explain(thrown: unknown): never {
  const older = thrown instanceof SyntaxError && thrown.message === 'Unexpected end of JSON input'
  throw older ? absent() : thrown
}

function isUpgrade({ method, headers }: Request): boolean {
  return method === 'GET' && headers.get('upgrade')?.toLowerCase() === 'websocket'
}

/**
 * Browsers open a socket for any page without a preflight (RFC 6455, 10.2), but no page can send `Authorization`. A
 * client that sends it is not a page, whatever its origin.
 */
function isOriginFit(request: Request, { CORS_ORIGINS }: Env): boolean {
  return !offersCredential(request) || isFromAllowed(request, CORS_ORIGINS)
}

/** The supported subprotocol; null for a client that offers none. */
function chooseProtocol(request: Request): string | null {
  const names = subprotocols(request)
  if (names.includes(PROTOCOL)) return PROTOCOL
  if (names.length === 0) return null
  throw refusal({ code: 'invalid-request', detail: `Sec-WebSocket-Protocol: must offer ${PROTOCOL}` })
}

/** A socket that is closed as soon as it is open, in place of a refusal that a page cannot see. */
export class ClosedSocket extends HTTPError {
  readonly #ending: SocketEnding

  constructor(ending: SocketEnding, { message, code }: HTTPError) {
    super(101, message, { code })
    this.#ending = ending
  }

  response(): Response {
    const { 0: client, 1: server } = new WebSocketPair()
    server.accept()
    const [code, reason] = ENDINGS[this.#ending]
    server.close(code, reason)
    return new Response(null, {
      status: 101,
      webSocket: client,
      headers: { 'sec-websocket-protocol': PROTOCOL },
    })
  }
}

/**
 * Opens a socket, or tells a page the reason by a close code (LV30), because browsers show a page nothing of a refusal.
 * Only for a credential that the service once issued. Others are refused before an object wakes.
 */
export async function openOrClose(exchange: Exchange, open: () => Promise<Response>): Promise<Response> {
  try {
    return await open()
  } catch (thrown) {
    const error = toHttpError(thrown)
    const ending = endingOf(error.code)
    if (ending === undefined || !isPage(exchange)) throw thrown
    if (error !== thrown) logAbsence(exchange, thrown)
    throw new ClosedSocket(ending, error)
  }
}

function isPage({ request, env }: Exchange): boolean {
  const speaks = subprotocols(request).includes(PROTOCOL) && offersCredential(request)
  return speaks && isUpgrade(request) && isOriginFit(request, env)
}
