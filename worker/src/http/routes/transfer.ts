import type { Session } from '../../core/access/session.ts'
import { parseQuery } from '../../schema/parse.ts'
import { ImportQuery } from '../../schema/query.ts'
import { checkMediaType } from '../exchange/body.ts'
import { type Exchange, jsonText, spaceOf } from '../exchange/exchange.ts'
import { unwrap } from '../exchange/refusal.ts'

const NDJSON = 'application/x-ndjson'

/** The error that the runtime logs when a body is cut short, so that a client does not take it for a complete one. */
const BROKEN_OFF =
  'GET /api/export was broken off: its session or its space has ended, or something in it cannot be read'

/** `GET /api/export`: streams the whole space while it is read. */
export async function exportSpace({ env }: Exchange, session: Session): Promise<Response> {
  const stream = unwrap(await spaceOf(env, session).export(session))
  const { readable, writable } = new IdentityTransformStream()
  stream
    .pipeTo(writable, { preventAbort: true })
    .catch(() => writable.abort(new Error(BROKEN_OFF)))
    // The client has hung up, so nobody receives the aborted body.
    .catch(() => undefined)
  return new Response(readable, { headers: { 'content-type': NDJSON } })
}

/** `POST /api/import?line=`: streams an export, or the rest of one from a line on, into the space as it arrives. */
export async function importSpace(
  { env, request, query, began }: Exchange,
  session: Session,
): Promise<Response> {
  const { line = 1 } = unwrap(parseQuery(ImportQuery, query))
  checkMediaType(request.headers, NDJSON)
  const body = request.body ?? new Blob().stream()
  return jsonText(unwrap(await spaceOf(env, session).import(session, { body, line, now: began })))
}
