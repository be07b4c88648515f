/** The tags of the replies that the reader has already. */
export function knownBy(request: Request): string | null {
  return request.headers.get('if-none-match')
}

/** A JSON text under its entity tag; without one, what the reader has still holds (RFC 9110, 15.4.5). */
interface Tagged {
  readonly tag: string
  readonly text: string | null
}

/** For its reader alone, who asks each time whether it still holds. */
export function ofReader(reply: Tagged): Response {
  return tagged(reply, { 'cache-control': 'private, no-cache', vary: 'Authorization' })
}

/** For anyone, for a while. */
export function ofAnyone(reply: Tagged, seconds: number): Response {
  return tagged(reply, { 'cache-control': `public, max-age=${seconds}` })
}

function tagged({ tag, text }: Tagged, headers: Readonly<Record<string, string>>): Response {
  if (text === null) return new Response(null, { status: 304, headers: { ...headers, etag: tag } })
  return new Response(text, { headers: { ...headers, etag: tag, 'content-type': 'application/json' } })
}
