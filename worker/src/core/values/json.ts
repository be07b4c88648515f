import { MAX_DEPTH } from './limits.ts'

/** Any JSON value. `__proto__` and its like are ordinary keys here, so read with `Object.keys` only. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/** A fault inside a value, and the path to it: names of fields, indexes of arrays. */
export interface Misfit {
  readonly code: 'too-deep' | 'lone-surrogate' | 'number-out-of-range'
  readonly path: readonly (string | number)[]
}

/**
 * The canonical text of a value: object keys in the order of their UTF-16 code units, without white space (order and
 * number format of RFC 8785). Two values are equal exactly if their texts are equal. A value that may not be stored has
 * a text too, which is not JSON, so that batches with different invalid values differ. Past `MAX_DEPTH` each deeper
 * level follows after a `#`, because recursive calls would overflow the stack.
 */
export function canonicalJson(value: Json): string {
  const pen: Pen = { names: new Map(), deeper: [] }
  let text = write(value, pen, MAX_DEPTH)
  for (const part of pen.deeper) text += `#${write(part, pen, MAX_DEPTH)}`
  return text
}

/** The state of one walk over a value. */
interface Pen {
  /** Field names with quotes and colon. Objects of a list often have the same names. */
  readonly names: Map<string, string>
  /** Values below `MAX_DEPTH`. */
  readonly deeper: Json[]
}

function write(value: Json, pen: Pen, depth: number): string {
  if (typeof value === 'string') return quote(value)
  if (value === null || typeof value !== 'object') return String(value)
  if (depth === 0) {
    pen.deeper.push(value)
    return '#'
  }
  return isArray(value) ? writeArray(value, pen, depth - 1) : writeObject(value, pen, depth - 1)
}

/** A text in which JSON escapes nothing: no control character, quote, backslash or surrogate. */
const PLAIN = /^[ !#-[\]-\ud7ff\ue000-\uffff]*$/

function quote(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(text)
}

function isArray(value: Json): value is readonly Json[] {
  return Array.isArray(value)
}

function writeArray(items: readonly Json[], pen: Pen, depth: number): string {
  let text = ''
  for (const item of items) text += text === '' ? write(item, pen, depth) : `,${write(item, pen, depth)}`
  return `[${text}]`
}

function writeObject(fields: { readonly [key: string]: Json }, pen: Pen, depth: number): string {
  let text = ''
  for (const key of Object.keys(fields).sort()) {
    const field = nameOf(key, pen) + write(fields[key] as Json, pen, depth)
    text += text === '' ? field : `,${field}`
  }
  return `{${text}}`
}

function nameOf(key: string, pen: Pen): string {
  const known = pen.names.get(key)
  if (known !== undefined) return known
  const name = `${quote(key)}:`
  pen.names.set(key, name)
  return name
}

/**
 * The first fault, in canonical order, that keeps a value from being stored: more than `depth` nested arrays and
 * objects, a string with a lone surrogate (which does not survive UTF-8), or a number past the range of a double, which
 * `JSON.parse` turns into an infinity (RFC 7493, section 2.2). Looks no deeper than `depth`.
 */
export function misfitIn(value: Json, depth = MAX_DEPTH): Misfit | null {
  return isFit(value, depth) ? null : findMisfit(value, depth)
}

function isFit(value: Json, depth: number): boolean {
  if (typeof value === 'string') return value.isWellFormed()
  if (typeof value === 'number') return Number.isFinite(value)
  if (value === null || typeof value !== 'object') return true
  if (depth === 0) return false
  if (isArray(value)) return value.every((item) => isFit(item, depth - 1))
  return Object.keys(value).every((key) => key.isWellFormed() && isFit(value[key] as Json, depth - 1))
}

function findMisfit(value: Json, depth: number): Misfit | null {
  if (value === null || typeof value !== 'object') return misfitOf(value)
  if (depth === 0) return { code: 'too-deep', path: [] }
  const names = isArray(value) ? [...value.keys()] : Object.keys(value).sort()
  // A reply cannot repeat a name with a lone surrogate, so the path ends at the object that holds it.
  if (names.some((name) => typeof name === 'string' && !name.isWellFormed()))
    return { code: 'lone-surrogate', path: [] }
  const items = value as { readonly [name: string | number]: Json }
  for (const name of names) {
    const found = findMisfit(items[name] as Json, depth - 1)
    if (found !== null) return { ...found, path: [name, ...found.path] }
  }
  return null
}

function misfitOf(value: null | boolean | number | string): Misfit | null {
  if (typeof value === 'number' && !Number.isFinite(value)) return { code: 'number-out-of-range', path: [] }
  return typeof value === 'string' && !value.isWellFormed() ? { code: 'lone-surrogate', path: [] } : null
}

/** Whether a text is at most `limit` bytes of UTF-8. Encodes the text only if its length does not tell. */
export function fitsBytes(text: string, limit: number): boolean {
  if (text.length > limit) return false
  return text.length * 3 <= limit || utf8Length(text) <= limit
}

/** The length of a text in bytes of UTF-8. */
export function utf8Length(text: string): number {
  let bytes = 0
  for (let index = 0; index < text.length; index++) {
    const point = text.codePointAt(index) ?? 0
    bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4
    if (point >= 0x10000) index += 1
  }
  return bytes
}
