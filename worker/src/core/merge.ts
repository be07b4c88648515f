import { canonicalJson, type Json } from './json.ts'
import { MAX_POINTERS } from './limits.ts'

/** What two writers made of the same base. */
export interface Sides {
  /** `undefined`: there was nothing. */
  readonly base: Json | undefined
  readonly mine: Json
  readonly theirs: Json
}

export interface Merged {
  readonly value: Json
  /** The JSON pointers (RFC 6901) of what both changed, each in its own way; only `""`, the whole, if they are too many. */
  readonly paths: readonly string[]
}

type Fields = { readonly [key: string]: Json }

/**
 * Three-way merge by field: what one side changed is taken, and what both changed goes to `mine` if it is the
 * later one. Objects are merged within; arrays and scalars are taken whole. Null unless both sides are objects:
 * then there are no fields to tell apart.
 */
export function merge({ base, mine, theirs }: Sides, mineIsLater: boolean): Merged | null {
  if (!isFields(mine) || !isFields(theirs)) return null
  const paths: string[] = []
  const value = mergeFields(fieldsOf(base), mine, theirs)
  return { value, paths: paths.length > MAX_POINTERS ? [''] : paths }

  function mergeFields(before: Fields, ours: Fields, others: Fields, at = ''): Json {
    const names = new Set([...Object.keys(others), ...Object.keys(ours)])
    const entries: [string, Json][] = []
    for (const name of names) {
      const field = mergeField(
        { base: own(before, name), mine: own(ours, name), theirs: own(others, name) },
        `${at}/${escapePointer(name)}`,
      )
      if (field !== undefined) entries.push([name, field])
    }
    // Defines its fields, so that one named `__proto__` is a field like any other.
    return Object.fromEntries(entries)
  }

  function mergeField(sides: Field, pointer: string): Json | undefined {
    if (isSame(sides.mine, sides.base)) return sides.theirs
    if (isSame(sides.theirs, sides.base) || isSame(sides.mine, sides.theirs)) return sides.mine
    const { base, mine, theirs } = sides
    if (isFields(mine) && isFields(theirs) && (base === undefined || isFields(base))) {
      return mergeFields(fieldsOf(base), mine, theirs, pointer)
    }
    paths.push(pointer)
    return mineIsLater ? mine : theirs
  }
}

/** One field on its way through the merge; `undefined` where it is absent. */
interface Field {
  readonly base: Json | undefined
  readonly mine: Json | undefined
  readonly theirs: Json | undefined
}

function isFields(value: Json | undefined): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function fieldsOf(value: Json | undefined): Fields {
  return isFields(value) ? value : {}
}

function own(fields: Fields, name: string): Json | undefined {
  return Object.hasOwn(fields, name) ? fields[name] : undefined
}

function isSame(a: Json | undefined, b: Json | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  return canonicalJson(a) === canonicalJson(b)
}

function escapePointer(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1')
}
