import type { Session } from '../../core/access/session.ts'
import { parseQuery } from '../../schema/parse.ts'
import { DevicesQuery } from '../../schema/request/query.ts'
import { type Exchange, jsonText, spaceOf } from '../exchange/exchange.ts'
import { unwrap } from '../exchange/refusal.ts'

/** `GET /api/clients?after=&limit=`: the devices of a space, and where each stands. */
export async function devices({ env, query }: Exchange, session: Session): Promise<Response> {
  const wanted = unwrap(parseQuery(DevicesQuery, query))
  return jsonText(unwrap(await spaceOf(env, session).clients(session, wanted)))
}
