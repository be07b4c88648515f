import { canonicalJson, type Json } from '../values/json.ts'
import { MAX_POINTERS, MAX_POINTERS_LENGTH } from '../values/limits.ts'
import { escapePointer } from '../values/pointer.ts'

/** The values that two writers made from the same base. */
export interface Sides {
  /** `undefined` if the key did not exist. */
  readonly base: Json | undefined
  readonly mine: Json
  readonly theirs: Json
}

export interface Merged {
  readonly value: Json
  /**
   * The JSON pointers (RFC 6901) of the fields that both sides changed differently. A single `""`, for the whole value,
   * if there are too many or they are too long.
   */
  readonly paths: readonly string[]
}

type Fields = { readonly [key: string]: Json }

/**
 * Merges two values field by field. A field that one side changed takes that change. A field that both changed takes
 * `mine` if it is later. Nested objects are merged, arrays and scalars are taken whole. Returns null unless both sides
 * are objects. Compares every field once, at any depth.
 */
export function merge({ base, mine, theirs }: Sides, mineIsLater: boolean): Merged | null {
  if (!isFields(mine) || !isFields(theirs)) return null
  const clashes = newClashes()
  const { value } = mergeFields({ base: fieldsOf(base), mine, theirs }, null)
  return { value, paths: clashes.pointers() }

  function mergeFields(sides: AllFields, path: FieldPath | null): Field & { readonly value: Json } {
    const names = new Set(SIDES.flatMap((side) => Object.keys(sides[side])))
    const entries: [string, Json][] = []
    let [mineIsBase, theirsIsBase, isAgreed] = [true, true, true]
    for (const name of names) {
      const field = mergeField(fieldOf(sides, name), { parent: path, name })
      mineIsBase &&= field.mineIsBase
      theirsIsBase &&= field.theirsIsBase
      isAgreed &&= field.isAgreed
      if (field.value !== undefined) entries.push([name, field.value])
    }
    // `fromEntries` defines its fields, so a field named `__proto__` is an ordinary one.
    return { value: Object.fromEntries(entries), mineIsBase, theirsIsBase, isAgreed }
  }

  function mergeField(sides: OneField, path: FieldPath): Field {
    const { base, mine, theirs } = sides
    if (isFields(mine) && isFields(theirs) && (base === undefined || isFields(base))) {
      const merged = mergeFields({ base: fieldsOf(base), mine, theirs }, path)
      return base === undefined ? { ...merged, mineIsBase: false, theirsIsBase: false } : merged
    }
    const field = compare(sides)
    if (field.value === CLASH) clashes.add(path)
    return { ...field, value: field.value === CLASH ? (mineIsLater ? mine : theirs) : field.value }
  }
}

/** The fields of the current version come first in the merged value. */
const SIDES = ['theirs', 'mine', 'base'] as const

type AllFields = { readonly [S in (typeof SIDES)[number]]: Fields }

/** One field of each side; `undefined` if absent. */
type OneField = { readonly [S in (typeof SIDES)[number]]: Json | undefined }

/** The merged field, and which sides agree on it. */
interface Field {
  readonly value: Json | undefined
  readonly mineIsBase: boolean
  readonly theirsIsBase: boolean
  readonly isAgreed: boolean
}

const CLASH: unique symbol = Symbol('clash')

interface Compared extends Omit<Field, 'value'> {
  readonly value: Field['value'] | typeof CLASH
}

/** Decides a field that is taken whole, or marks a clash. */
function compare({ base, mine, theirs }: OneField): Compared {
  const mineIsBase = isSame(mine, base)
  const theirsIsBase = isSame(theirs, base)
  const isAgreed = mineIsBase === theirsIsBase && (mineIsBase || isSame(mine, theirs))
  const value = mineIsBase ? theirs : theirsIsBase || isAgreed ? mine : CLASH
  return { value, mineIsBase, theirsIsBase, isAgreed }
}

/** The path to a field. The pointer is only built for a field that clashes. */
interface FieldPath {
  readonly parent: FieldPath | null
  readonly name: string
}

interface Clashes {
  add(path: FieldPath): void
  pointers(): readonly string[]
}

/**
 * Counts pointers and their lengths before building them: a hundred pointers can be a hundred times as long as the
 * value.
 */
function newClashes(): Clashes {
  const clashing: FieldPath[] = []
  let length = 0
  return {
    add(path) {
      length += lengthOf(path)
      if (clashing.length <= MAX_POINTERS) clashing.push(path)
    },
    pointers() {
      const isTooMuch = clashing.length > MAX_POINTERS || length > MAX_POINTERS_LENGTH
      return isTooMuch ? [''] : clashing.map(pointerOf)
    },
  }
}

function lengthOf({ parent, name }: FieldPath): number {
  return name.length + 1 + (parent === null ? 0 : lengthOf(parent))
}

function pointerOf({ parent, name }: FieldPath): string {
  return `${parent === null ? '' : pointerOf(parent)}/${escapePointer(name)}`
}

function isFields(value: Json | undefined): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function fieldsOf(value: Json | undefined): Fields {
  return isFields(value) ? value : {}
}

function fieldOf({ base, mine, theirs }: AllFields, name: string): OneField {
  return { base: own(base, name), mine: own(mine, name), theirs: own(theirs, name) }
}

function own(fields: Fields, name: string): Json | undefined {
  return Object.hasOwn(fields, name) ? fields[name] : undefined
}

function isSame(a: Json | undefined, b: Json | undefined): boolean {
  if (a === undefined || b === undefined || a === b) return a === b
  return canonicalJson(a) === canonicalJson(b)
}
