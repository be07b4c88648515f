import { refusal } from './refusal.ts'

const MAX_AGE_SECONDS = 86_400
const REQUEST_HEADERS = 'authorization, content-type, if-none-match, x-request-id'
const REPLY_HEADERS = 'etag, ratelimit, ratelimit-policy, retry-after, x-request-id'

/**
 * The response to OPTIONS: the methods that the path allows. A page gets it (Fetch standard, 3.3) only if its exact
 * origin is on the stack's list or is the API's own.
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

/** Lets a page of an allowed origin read the reply. Every reply says that it varies by origin. */
export function exposeTo(request: Request, origins: readonly string[], headers: Headers): void {
  const origin = request.headers.get('origin')
  if (origin === null || !isAllowed(request, origins)) return
  headers.set('access-control-allow-origin', origin)
  headers.set('access-control-expose-headers', REPLY_HEADERS)
}

/** Whether a request comes from a page of an allowed origin, or not from a page: only browsers send an origin. */
export function isFromAllowed(request: Request, origins: readonly string[]): boolean {
  return !request.headers.has('origin') || isAllowed(request, origins)
}

/** A page on the API's own host needs no entry in the stack's list. The custom domain and workers.dev are two hosts. */
function isAllowed({ headers, url }: Request, origins: readonly string[]): boolean {
  const origin = headers.get('origin') ?? ''
  return origins.includes(origin) || origin === new URL(url).origin
}
