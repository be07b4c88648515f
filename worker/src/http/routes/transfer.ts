import type { Session } from '../../core/access/session.ts'
import { parseQuery } from '../../schema/parse.ts'
import { ImportQuery } from '../../schema/query.ts'
import { checkMediaType } from '../exchange/body.ts'
import { type Exchange, jsonText, spaceOf } from '../exchange/exchange.ts'
import { unwrap } from '../exchange/refusal.ts'

const NDJSON = 'application/x-ndjson'

/** What the runtime logs of a body that is cut short, so that a client takes it for no whole one. */
const BROKEN_OFF =
  'GET /api/export was broken off: its session or its space has ended, or something in it cannot be read'

/** `GET /api/export`: the whole space, streamed as it is read. */
export async function exportSpace({ env }: Exchange, session: Session): Promise<Response> {
  const stream = unwrap(await spaceOf(env, session).export(session))
  const { readable, writable } = new IdentityTransformStream()
  stream
    .pipeTo(writable, { preventAbort: true })
    .catch(() => writable.abort(new Error(BROKEN_OFF)))
    // The client hung up: there is nobody to break off for.
    .catch(() => undefined)
  return new Response(readable, { headers: { 'content-type': NDJSON } })
}

/** `POST /api/import?line=`: an export, or the rest of one from that line on; streamed to the space as it arrives. */
export async function importSpace(
  { env, request, query, began }: Exchange,
  session: Session,
): Promise<Response> {
  const { line = 1 } = unwrap(parseQuery(ImportQuery, query))
  checkMediaType(request.headers, NDJSON)
  const body = request.body ?? new Blob().stream()
  return jsonText(unwrap(await spaceOf(env, session).import(session, { body, line, now: began })))
}
