import { formatTag, isKnown } from '../../core/values/etag.ts'
import { knownBy, ofAnyone } from '../exchange/conditional.ts'
import type { Exchange } from '../exchange/exchange.ts'

const MAX_AGE_SECONDS = 3600

/** The static asset with the document, outside /api, whose paths are all served by the Worker. */
const ASSET = '/openapi.json'

/**
 * `GET /api/openapi.json`: the description of this API (OpenAPI 3.1). It is a static asset, because the runtime would
 * parse a document in the script at every cold start. The headers are those of every reply.
 */
export async function openapi({ request, env }: Exchange): Promise<Response> {
  const tag = formatTag([env.VERSION])
  if (isKnown(tag, knownBy(request))) return ofAnyone({ tag, body: null }, MAX_AGE_SECONDS)
  const { body, status } = await env.ASSETS.fetch(new URL(ASSET, request.url))
  if (status !== 200) throw new Error(`the asset ${ASSET} answered ${status}`)
  return ofAnyone({ tag, body }, MAX_AGE_SECONDS)
}
