import type { Session } from '../../core/access/session.ts'
import { parseBody, parseQuery } from '../../schema/parse.ts'
import { ResolveRequest } from '../../schema/request/conflict.ts'
import {
  ChangesQuery,
  ConflictsQuery,
  EntryQuery,
  HistoryQuery,
  StatusQuery,
} from '../../schema/request/query.ts'
import { readBody } from '../exchange/body.ts'
import { knownBy, ofReader } from '../exchange/conditional.ts'
import { type Exchange, jsonText, spaceOf } from '../exchange/exchange.ts'
import { refusal, unwrap } from '../exchange/refusal.ts'

/** `POST /api/sync`. The body goes to the object unparsed and is parsed there, once. */
export async function sync(exchange: Exchange, session: Session): Promise<Response> {
  const { env, request, began } = exchange
  const body = { text: await readBody(request, session.expiresAt * 1000), now: began }
  const { text, tally } = unwrap(await spaceOf(env, session).sync(session, body))
  exchange.effects.tally = tally
  return jsonText(text)
}

/** `GET /api/changes?cursor=&limit=&collections=`. */
export async function changes({ request, env, query }: Exchange, session: Session): Promise<Response> {
  const wanted = unwrap(parseQuery(ChangesQuery, query))
  return ofReader(unwrap(await spaceOf(env, session).changes(session, wanted, knownBy(request))))
}

/** `GET /api/status?cursor=&collections=`. */
export async function status({ request, env, query }: Exchange, session: Session): Promise<Response> {
  const wanted = unwrap(parseQuery(StatusQuery, query))
  return ofReader(unwrap(await spaceOf(env, session).status(session, wanted, knownBy(request))))
}

/** `GET /api/entries?key=` or `?prefix=&after=&limit=`: a key may contain slashes and dots, so it is a parameter. */
export async function entries({ env, query }: Exchange, session: Session): Promise<Response> {
  const { key, prefix, ...page } = unwrap(parseQuery(EntryQuery, query))
  const space = spaceOf(env, session)
  if (key === undefined && prefix !== undefined)
    return jsonText(unwrap(await space.entries(session, { prefix, ...page })))
  if (key !== undefined && query.size === 1) return jsonText(unwrap(await space.entry(session, key)))
  const detail =
    key === undefined
      ? 'key: is missing, and so is prefix'
      : 'key: names one entry, so no other parameter belongs to it'
  throw refusal({ code: 'invalid-request', detail })
}

/** `GET /api/history?key=&before=&limit=`. */
export async function history({ env, query }: Exchange, session: Session): Promise<Response> {
  const wanted = unwrap(parseQuery(HistoryQuery, query))
  return jsonText(unwrap(await spaceOf(env, session).history(session, wanted)))
}

/** `POST /api/conflicts/{id}/resolve`. */
export async function resolve({ request, env, params }: Exchange, session: Session): Promise<Response> {
  // No conflict has the number 0, so the session's rights are checked first.
  const id = /^\d{1,15}$/.test(params.id ?? '') ? Number(params.id) : 0
  const wanted = unwrap(parseBody(ResolveRequest, await readBody(request, session.expiresAt * 1000)))
  return jsonText(unwrap(await spaceOf(env, session).resolve(session, id, wanted)))
}

/** `GET /api/conflicts?after=&limit=&key=&open=1`. */
export async function conflicts({ env, query }: Exchange, session: Session): Promise<Response> {
  const wanted = unwrap(parseQuery(ConflictsQuery, query))
  return jsonText(unwrap(await spaceOf(env, session).conflicts(session, wanted)))
}
