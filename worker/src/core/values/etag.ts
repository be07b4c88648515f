/**
 * A weak entity tag (RFC 9110, 8.8.3): replies with the same tag are equal in everything that a client acts on. The
 * parts name everything besides the URL on which the reply depends. None of them contains a quotation mark.
 */
export function formatTag(parts: readonly (string | number)[]): string {
  return `W/"${parts.join('/')}"`
}

const ITEM = /(?:^|,)[ \t]*(?:W\/)?("[\x21\x23-\x7e\x80-\xff]*")[ \t]*(?=,|$)/g

/**
 * Whether the reader already has the reply with this tag, by its `If-None-Match` (RFC 9110, 13.1.2): a list of tags,
 * compared weakly, or `*`. A malformed list names no tag.
 */
export function isKnown(tag: string, ifNoneMatch: string | null): boolean {
  if (ifNoneMatch === null) return false
  if (ifNoneMatch.trim() === '*') return true
  return Array.from(ifNoneMatch.matchAll(ITEM), ([, opaque]) => opaque).includes(tag.replace('W/', ''))
}
