import type { Fault } from '../core/fault.ts'
import { OPENING_HEADER, type Session } from '../core/session.ts'
import { parseQuery } from '../schema/parse.ts'
import { LiveQuery } from '../schema/query.ts'
import { checkOrigin } from './cors.ts'
import { type Exchange, spaceOf } from './exchange.ts'
import { absent, refusal, unwrap } from './refusal.ts'
import { subprotocols } from './session.ts'

const PROTOCOL = 'chronicle.v1'

/** `GET /api/live?cursor=&collections=`: a socket on which the client follows the feed and pushes. */
export async function live({ request, env, query, ticket }: Exchange, session: Session): Promise<Response> {
  const wanted = unwrap(parseQuery(LiveQuery, query))
  checkUpgrade(request)
  checkOrigin(request, env.CORS_ORIGINS)
  const protocol = chooseProtocol(request)
  const opening = { session, query: wanted, ticket: ticket && { id: ticket.id, expiresAt: ticket.expiresAt } }
  const opened = await spaceOf(env, session)
    // A request that opens a socket has no body. Headers are bytes.
    .fetch('https://space/', {
      headers: { upgrade: 'websocket', [OPENING_HEADER]: encodeURIComponent(JSON.stringify(opening)) },
    })
    .catch(explain)
  const { webSocket } = opened
  // What is no socket is the object's reason why not.
  if (webSocket === null) throw refusal((await opened.json()) as Fault)
  return new Response(null, {
    status: 101,
    webSocket,
    headers: protocol === null ? {} : { 'sec-websocket-protocol': protocol },
  })
}

/** An object of the last release looks for another header, and fails over finding no JSON. */
function explain(thrown: unknown): never {
  const older = thrown instanceof SyntaxError && thrown.message === 'Unexpected end of JSON input'
  throw older ? absent() : thrown
}

function checkUpgrade({ method, headers }: Request): void {
  const upgrade = headers.get('upgrade')?.toLowerCase()
  if (method !== 'GET' || upgrade !== 'websocket') throw refusal({ code: 'upgrade-required' })
}

/** The one subprotocol that is spoken here; null for a client that offers none. */
function chooseProtocol(request: Request): string | null {
  const names = subprotocols(request)
  if (names.includes(PROTOCOL)) return PROTOCOL
  if (names.length === 0) return null
  throw refusal({ code: 'invalid-request', detail: `Sec-WebSocket-Protocol: offer ${PROTOCOL}` })
}
