import type { Amounts } from '../space/quota.ts'

/** A space as the registry knows it from its last report. */
export interface ListedSpace {
  readonly space: string
  readonly entries: number
  readonly bytes: number
  readonly quota: Amounts
  readonly openConflicts: number
  readonly devices: number
  /** When the last change was stored, ms; null before the first. */
  readonly lastSync: number | null
  readonly upkeepFailures: number
  /** When the space reported this, ms. */
  readonly reportedAt: number
}

/** By name, by bytes or by open conflicts with the largest first, or by the last change with the oldest first. */
export const ORDERS = ['name', 'size', 'age', 'conflicts'] as const
export type Order = (typeof ORDERS)[number]

/** The place of a space in a list: the value that the list is ordered by, and the name. */
export type Place = readonly [value: number, space: string]

/** A page of spaces that begins after a place. */
export interface Listing {
  readonly order: Order
  readonly prefix: string
  readonly after: Place | null
  readonly limit: number
}

export function placeOf({ space, bytes, lastSync, openConflicts }: ListedSpace, order: Order): Place {
  const values = { name: 0, size: -bytes, age: lastSync ?? 0, conflicts: -openConflicts }
  return [values[order], space]
}

/** Merges the pages of all shards into one. Each shard has at least the first `limit` of its own. */
export function mergePages(
  pages: readonly (readonly ListedSpace[])[],
  { order, limit }: Pick<Listing, 'order' | 'limit'>,
): readonly ListedSpace[] {
  const inOrder = (one: ListedSpace, other: ListedSpace) =>
    compare(placeOf(one, order), placeOf(other, order))
  return pages.flat().sort(inOrder).slice(0, limit)
}

/** The encoding of a place in a URL, opaque to clients. */
export function formatPlace([value, space]: Place): string {
  return `${value}.${space}`
}

/** Null for a text that no list has issued. */
export function parsePlace(text: string): Place | null {
  const match = /^(-?\d{1,16})\.(.+)$/su.exec(text)
  return match === null ? null : [Number(match[1]), match[2] ?? '']
}

/** Compares as SQLite does: by the value, then by the bytes of the name. UTF-16 would order astral characters otherwise. */
function compare([value, name]: Place, [otherValue, otherName]: Place): number {
  return value - otherValue || compareBytes(name, otherName)
}

function compareBytes(one: string, other: string): number {
  const [a, b] = [new TextEncoder().encode(one), new TextEncoder().encode(other)]
  const at = a.findIndex((byte, index) => byte !== b[index])
  return at === -1 ? a.length - b.length : (a[at] ?? 0) - (b[at] ?? -1)
}

/** The sums of all spaces, and what was counted since the stack was made. */
export interface Totals {
  readonly spaces: number
  readonly entries: number
  readonly bytes: number
  readonly devices: number
  readonly openConflicts: number
  readonly nearQuota: number
  readonly full: number
  readonly upkeepFailing: number
  readonly changes: number
  readonly conflicts: number
  readonly reports: number
  readonly defects: number
}

export function sumTotals(parts: readonly Totals[]): Totals {
  const [first, ...rest] = parts
  if (first === undefined) throw new Error('there is no shard')
  return rest.reduce((sum, part) => {
    const names = Object.keys(sum) as (keyof Totals)[]
    return Object.fromEntries(names.map((name) => [name, sum[name] + (part[name] ?? 0)])) as unknown as Totals
  }, first)
}
