import { formatPlace, mergePages, parsePlace, placeOf } from '../../core/report/listing.ts'
import { PAGE_SPACES } from '../../core/values/report-limits.ts'
import { parseQuery } from '../../schema/parse.ts'
import { SpacesQuery } from '../../schema/request/query.ts'
import { type Exchange, json } from '../exchange/exchange.ts'
import { refusal, unwrap } from '../exchange/refusal.ts'
import { shardsOf } from '../exchange/registry.ts'

/** `GET /api/spaces?order=&prefix=&after=&limit=`: the spaces as they last reported. Wakes none of them. */
export async function showSpaces({ env, query }: Exchange): Promise<Response> {
  const wanted = unwrap(parseQuery(SpacesQuery, query))
  const { order = 'name', prefix = '', after: place, limit = PAGE_SPACES } = wanted
  const after = place === undefined ? null : parsePlace(place)
  if (place !== undefined && after === null) {
    throw refusal({ code: 'invalid-request', detail: 'after: expected the next of a page of spaces' })
  }
  const listing = { order, prefix, after, limit: limit + 1 }
  const found = mergePages(await Promise.all(shardsOf(env).map((shard) => shard.list(listing))), listing)
  const spaces = found.slice(0, limit)
  const last = found.length > limit ? spaces.at(-1) : undefined
  return json({ spaces, next: last === undefined ? null : formatPlace(placeOf(last, order)) })
}
