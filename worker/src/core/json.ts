import { MAX_DEPTH } from './limits.ts'

/** Any value that JSON can hold. `__proto__` and its like are ordinary keys here: read with `Object.keys` only. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/** Why a value has no canonical text: the reason for which the whole request is refused. */
export type Unfit =
  | { readonly code: 'too-deep'; readonly limit: number }
  | { readonly code: 'number-out-of-range' }

const TOO_DEEP: Unfit = { code: 'too-deep', limit: MAX_DEPTH }
const OUT_OF_RANGE: Unfit = { code: 'number-out-of-range' }

/**
 * The canonical text of a value: object keys in the order of their UTF-16 code units and no white space
 * (order and number format of RFC 8785). Two values are equal exactly if their texts are.
 * A value has none if it nests deeper than `depth`, or holds a number past the range of a double, which
 * `JSON.parse` turns into an infinity (RFC 7493, section 2.2).
 */
export function canonicalJson(value: Json, depth = MAX_DEPTH): string | Unfit {
  if (typeof value === 'number') return Number.isFinite(value) ? JSON.stringify(value) : OUT_OF_RANGE
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  if (depth === 0) return TOO_DEEP
  return isArray(value) ? canonicalArray(value, depth - 1) : canonicalObject(value, depth - 1)
}

function isArray(value: Json): value is readonly Json[] {
  return Array.isArray(value)
}

function canonicalArray(items: readonly Json[], depth: number): string | Unfit {
  let text = '['
  for (const item of items) {
    const part = canonicalJson(item, depth)
    if (typeof part !== 'string') return part
    text += text.length === 1 ? part : `,${part}`
  }
  return `${text}]`
}

function canonicalObject(fields: { readonly [key: string]: Json }, depth: number): string | Unfit {
  let text = '{'
  for (const key of Object.keys(fields).sort()) {
    const part = canonicalJson(fields[key] as Json, depth)
    if (typeof part !== 'string') return part
    text += `${text.length === 1 ? '' : ','}${JSON.stringify(key)}:${part}`
  }
  return `${text}}`
}

/** The only way for a lone surrogate into well-formed UTF-8 JSON text is an escape: looks no further without one. */
export function mayHoldLoneSurrogate(text: string): boolean {
  return text.includes('\\u') && /\\u[dD][89a-fA-F]/.test(text)
}

/**
 * Whether every string in a value, keys included, is well-formed UTF-16 and so survives UTF-8.
 * Looks no deeper than `depth`, because what nests deeper is refused for that.
 */
export function isWellFormed(value: Json, depth: number): boolean {
  if (typeof value === 'string') return value.isWellFormed()
  if (value === null || typeof value !== 'object' || depth === 0) return true
  if (isArray(value)) return value.every((item) => isWellFormed(item, depth - 1))
  return Object.entries(value).every(([key, item]) => key.isWellFormed() && isWellFormed(item, depth - 1))
}

/** Whether a value nests deeper than so many arrays and objects. Looks no deeper than that. */
export function isDeeperThan(value: Json, depth: number): boolean {
  if (value === null || typeof value !== 'object') return false
  if (depth === 0) return true
  const items = isArray(value) ? value : Object.values(value)
  return items.some((item) => isDeeperThan(item, depth - 1))
}

/** Whether a text is at most `limit` bytes of UTF-8, without encoding it when its length already tells. */
export function fitsBytes(text: string, limit: number): boolean {
  if (text.length > limit) return false
  return text.length * 3 <= limit || utf8Length(text) <= limit
}

/** How many bytes of UTF-8 a text is. */
export function utf8Length(text: string): number {
  let bytes = 0
  for (let index = 0; index < text.length; index++) {
    const point = text.codePointAt(index) ?? 0
    bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4
    if (point >= 0x10000) index += 1
  }
  return bytes
}
