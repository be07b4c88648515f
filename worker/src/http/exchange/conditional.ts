/** The entity tags of the replies that the reader already has. */
export function knownBy(request: Request): string | null {
  return request.headers.get('if-none-match')
}

/** JSON with its entity tag; without a body, the reader's copy is still valid (RFC 9110, 15.4.5). */
interface Tagged {
  readonly tag: string
  readonly body: string | ReadableStream | null
}

/** Private to its reader, who revalidates it each time. */
export function ofReader({ tag, text }: { readonly tag: string; readonly text: string | null }): Response {
  return tagged({ tag, body: text }, { 'cache-control': 'private, no-cache', vary: 'Authorization' })
}

/** Public for some seconds. */
export function ofAnyone(reply: Tagged, seconds: number): Response {
  return tagged(reply, { 'cache-control': `public, max-age=${seconds}` })
}

function tagged({ tag, body }: Tagged, headers: Readonly<Record<string, string>>): Response {
  if (body === null) return new Response(null, { status: 304, headers: { ...headers, etag: tag } })
  return new Response(body, { headers: { ...headers, etag: tag, 'content-type': 'application/json' } })
}
