import document from '../../../../docs/openapi.json' with { type: 'json' }
import { formatTag, isKnown } from '../../core/values/etag.ts'
import { knownBy, ofAnyone } from '../exchange/conditional.ts'
import type { Exchange } from '../exchange/exchange.ts'

const MAX_AGE_SECONDS = 3600

/** `GET /api/openapi.json`: the description of this API (OpenAPI 3.1). */
export async function openapi({ request, env }: Exchange): Promise<Response> {
  const tag = formatTag([env.VERSION])
  if (isKnown(tag, knownBy(request))) return ofAnyone({ tag, text: null }, MAX_AGE_SECONDS)
  // The version in the name keeps a cached copy from outliving its release.
  const name = new URL(`/api/openapi.json?version=${encodeURIComponent(env.VERSION)}`, request.url)
  const kept = await caches.default.match(name)
  // A response from the cache is read-only, and a cached response must not contain anything of its request.
  if (kept !== undefined) return new Response(kept.body, kept)
  const made = ofAnyone({ tag, text: JSON.stringify(document) }, MAX_AGE_SECONDS)
  await caches.default.put(name, made.clone())
  return made
}
