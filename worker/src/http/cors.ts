import { refusal } from './refusal.ts'

const MAX_AGE_SECONDS = 86_400
const REQUEST_HEADERS = 'authorization, content-type, if-none-match, x-request-id'
const REPLY_HEADERS = 'etag, ratelimit, ratelimit-policy, retry-after, x-request-id'

/**
 * The answer to OPTIONS: what the path allows. To a page (Fetch standard, 3.3) only if its exact origin is on the
 * stack's list.
 */
export function preflight(request: Request, origins: readonly string[], allow: readonly string[]): Response {
  const methods = allow.join(', ')
  if (!request.headers.has('origin')) return new Response(null, { status: 204, headers: { allow: methods } })
  if (!isAllowed(request, origins)) throw refusal({ code: 'forbidden-origin' })
  return new Response(null, {
    status: 204,
    headers: {
      allow: methods,
      'access-control-allow-methods': methods,
      'access-control-allow-headers': REQUEST_HEADERS,
      'access-control-max-age': String(MAX_AGE_SECONDS),
    },
  })
}

/** Lets a page of an allowed origin read the reply; every reply varies by origin, so that no cache mixes them. */
export function exposeTo(request: Request, origins: readonly string[], headers: Headers): void {
  headers.append('vary', 'Origin')
  const origin = request.headers.get('origin')
  if (origin === null || !isAllowed(request, origins)) return
  headers.set('access-control-allow-origin', origin)
  headers.set('access-control-expose-headers', REPLY_HEADERS)
}

/**
 * Refuses a socket that a page of another origin opens: browsers ask nobody before they open one (RFC 6455, 10.2).
 * Clients that are no browsers send no origin.
 */
export function checkOrigin(request: Request, origins: readonly string[]): void {
  if (request.headers.has('origin') && !isAllowed(request, origins))
    throw refusal({ code: 'forbidden-origin' })
}

function isAllowed(request: Request, origins: readonly string[]): boolean {
  return origins.includes(request.headers.get('origin') ?? '')
}
