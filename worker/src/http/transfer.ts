import type { Session } from '../core/session.ts'
import { type Exchange, spaceOf } from './exchange.ts'
import { unwrap } from './refusal.ts'

const NDJSON = 'application/x-ndjson'

/** `GET /api/export`: the whole space, streamed as it is read. */
export async function exportSpace({ env }: Exchange, session: Session): Promise<Response> {
  const stream = unwrap(await spaceOf(env, session).export(session))
  return new Response(stream, { headers: { 'content-type': NDJSON } })
}
