import { canonicalJson, type Json } from '../values/json.ts'
import { MAX_POINTERS, MAX_POINTERS_LENGTH } from '../values/limits.ts'
import { escapePointer } from '../values/pointer.ts'

/** What two writers made of the same base. */
export interface Sides {
  /** `undefined`: there was nothing. */
  readonly base: Json | undefined
  readonly mine: Json
  readonly theirs: Json
}

export interface Merged {
  readonly value: Json
  /**
   * The JSON pointers (RFC 6901) of what both changed, each in its own way; only `""`, the whole, if they are too many
   * or too long.
   */
  readonly paths: readonly string[]
}

type Fields = { readonly [key: string]: Json }

/**
 * Three-way merge by field: what one side changed is taken, and what both changed goes to `mine` if it is the
 * later one. Objects are merged within; arrays and scalars are taken whole. Null unless both sides are objects:
 * then there are no fields to tell apart. Every field is compared once, however deep it lies.
 */
export function merge({ base, mine, theirs }: Sides, mineIsLater: boolean): Merged | null {
  if (!isFields(mine) || !isFields(theirs)) return null
  const clashes = newClashes()
  const { value } = mergeFields({ base: fieldsOf(base), mine, theirs }, null)
  return { value, paths: clashes.pointers() }

  function mergeFields(sides: AllFields, place: Place | null): Field & { readonly value: Json } {
    const names = new Set(SIDES.flatMap((side) => Object.keys(sides[side])))
    const entries: [string, Json][] = []
    let [mineIsBase, theirsIsBase, isAgreed] = [true, true, true]
    for (const name of names) {
      const field = mergeField(fieldOf(sides, name), { parent: place, name })
      mineIsBase &&= field.mineIsBase
      theirsIsBase &&= field.theirsIsBase
      isAgreed &&= field.isAgreed
      if (field.value !== undefined) entries.push([name, field.value])
    }
    // Defines its fields, so that one named `__proto__` is a field like any other.
    return { value: Object.fromEntries(entries), mineIsBase, theirsIsBase, isAgreed }
  }

  function mergeField(sides: OneField, place: Place): Field {
    const { base, mine, theirs } = sides
    if (isFields(mine) && isFields(theirs) && (base === undefined || isFields(base))) {
      const merged = mergeFields({ base: fieldsOf(base), mine, theirs }, place)
      return base === undefined ? { ...merged, mineIsBase: false, theirsIsBase: false } : merged
    }
    const field = compare(sides)
    if (field.value === CLASH) clashes.add(place)
    return { ...field, value: field.value === CLASH ? (mineIsLater ? mine : theirs) : field.value }
  }
}

/** Their fields come first in what is merged, as they stand already. */
const SIDES = ['theirs', 'mine', 'base'] as const

type AllFields = { readonly [S in (typeof SIDES)[number]]: Fields }

/** One field of each side; `undefined` where it is absent. */
type OneField = { readonly [S in (typeof SIDES)[number]]: Json | undefined }

/** What becomes of a field, and which sides are the same in it. */
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

/** A field that is taken whole, or clashes. */
function compare({ base, mine, theirs }: OneField): Compared {
  const mineIsBase = isSame(mine, base)
  const theirsIsBase = isSame(theirs, base)
  const isAgreed = mineIsBase === theirsIsBase && (mineIsBase || isSame(mine, theirs))
  const value = mineIsBase ? theirs : theirsIsBase || isAgreed ? mine : CLASH
  return { value, mineIsBase, theirsIsBase, isAgreed }
}

/** Where a field is: a pointer is written only where one is wanted. */
interface Place {
  readonly parent: Place | null
  readonly name: string
}

interface Clashes {
  add(place: Place): void
  pointers(): readonly string[]
}

/** Counts pointers, and their lengths, before it writes them: a hundred of them can be a hundred times the value. */
function newClashes(): Clashes {
  const places: Place[] = []
  let length = 0
  return {
    add(place) {
      length += lengthOf(place)
      if (places.length <= MAX_POINTERS) places.push(place)
    },
    pointers() {
      const isTooMuch = places.length > MAX_POINTERS || length > MAX_POINTERS_LENGTH
      return isTooMuch ? [''] : places.map(pointerOf)
    },
  }
}

function lengthOf({ parent, name }: Place): number {
  return name.length + 1 + (parent === null ? 0 : lengthOf(parent))
}

function pointerOf({ parent, name }: Place): string {
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
