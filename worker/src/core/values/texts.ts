import { canonicalJson, type Json, misfitIn } from './json.ts'
import { MAX_DEPTH } from './limits.ts'

/** The texts of a value and whether it may be stored. */
export interface Texts {
  readonly canonical: string
  /** The JSON text with the keys in their original order, as `JSON.parse` keeps it. Meant only for a value that is fit. */
  readonly json: string
  /** Whether the value may be stored. If not, `misfitIn` gives the reason. */
  readonly isFit: boolean
}

/**
 * The texts of a value. The engine writes both where it can, because it is faster than `canonicalJson`: the canonical
 * text is that of a copy whose keys are sorted.
 */
export function textsOf(value: Json, orders: KeyOrders): Texts {
  const sorted = sortedCopy(value, orders, MAX_DEPTH)
  if (sorted === undefined) return slowTextsOf(value)
  const json = JSON.stringify(value)
  return { canonical: sorted === value ? json : JSON.stringify(sorted), json, isFit: true }
}

function slowTextsOf(value: Json): Texts {
  const canonical = canonicalJson(value)
  const isFit = misfitIn(value) === null
  return { canonical, json: isFit ? JSON.stringify(value) : canonical, isFit }
}

/** The keys of the latest object at each depth, as they came and sorted. The values of a batch often have one shape. */
export type KeyOrders = KeyOrder[]

interface KeyOrder {
  readonly keys: readonly string[]
  /** The same array as `keys` if they came sorted. */
  readonly sorted: readonly string[]
}

/**
 * A copy whose keys are sorted, so that `JSON.stringify` writes the canonical text; the value itself if they are sorted
 * already. Returns `undefined` for a value that may not be stored, and for one of which no such copy can be made.
 */
function sortedCopy(value: Json, orders: KeyOrders, depth: number): Json | undefined {
  if (typeof value === 'string') return value.isWellFormed() ? value : undefined
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined
  if (value === null || typeof value !== 'object') return value
  if (depth === 0) return undefined
  return Array.isArray(value)
    ? copyItems(value, orders, depth - 1)
    : copyFields(value as { readonly [key: string]: Json }, orders, depth - 1)
}

function copyItems(items: readonly Json[], orders: KeyOrders, depth: number): Json | undefined {
  const copy: Json[] = []
  let isSame = true
  for (const item of items) {
    const sorted = sortedCopy(item, orders, depth)
    if (sorted === undefined) return undefined
    if (sorted !== item) isSame = false
    copy.push(sorted)
  }
  return isSame ? items : copy
}

function copyFields(
  fields: { readonly [key: string]: Json },
  orders: KeyOrders,
  depth: number,
): Json | undefined {
  const order = orderOf(Object.keys(fields), orders, depth)
  if (order === null) return undefined
  const copy: { [key: string]: Json } = {}
  let isSame = order.sorted === order.keys
  for (const key of order.sorted) {
    const item = fields[key] as Json
    const sorted = sortedCopy(item, orders, depth)
    if (sorted === undefined) return undefined
    if (sorted !== item) isSame = false
    copy[key] = sorted
  }
  return isSame ? fields : copy
}

function orderOf(keys: readonly string[], orders: KeyOrders, depth: number): KeyOrder | null {
  const latest = orders[depth]
  if (latest !== undefined && isEqual(keys, latest.keys)) return latest
  const sorted = sortedKeys(keys)
  if (sorted === null) return null
  const order = { keys, sorted }
  orders[depth] = order
  return order
}

function isEqual(some: readonly string[], others: readonly string[]): boolean {
  if (some.length !== others.length) return false
  for (let index = 0; index < some.length; index++) if (some[index] !== others[index]) return false
  return true
}

/** Returns null if an assignment to a key would not add a field, or not in its place. */
function sortedKeys(keys: readonly string[]): readonly string[] | null {
  // Assigning to `__proto__` sets the prototype.
  if (keys.some((key) => key === '__proto__' || !key.isWellFormed())) return null
  const sorted = keys.toSorted()
  if (isEqual(keys, sorted)) return keys
  // An object lists whole numbers first, and by their value: 9 before 10.
  return keys.some((key) => /^\d/.test(key)) ? null : sorted
}
