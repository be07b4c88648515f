/**
 * A weak entity tag (RFC 9110, 8.8.3): replies of one tag differ in nothing that a client acts on. The parts name
 * all that the reply depends on beside its URL; none of them holds a quotation mark.
 */
export function formatTag(parts: readonly (string | number)[]): string {
  return `W/"${parts.join('/')}"`
}

const ITEM = /(?:^|,)[ \t]*(?:W\/)?("[\x21\x23-\x7e\x80-\xff]*")[ \t]*(?=,|$)/g

/**
 * Whether the reader has the reply of a tag already, as `If-None-Match` says (RFC 9110, 13.1.2): it lists tags, which
 * are compared weakly, or is `*`. What is no such list names none.
 */
export function isKnown(tag: string, ifNoneMatch: string | null): boolean {
  if (ifNoneMatch === null) return false
  if (ifNoneMatch.trim() === '*') return true
  return Array.from(ifNoneMatch.matchAll(ITEM), ([, opaque]) => opaque).includes(tag.replace('W/', ''))
}
