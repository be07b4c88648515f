import { collectionOf } from './key.ts'
import { NOTHING } from './version.ts'

/** The collections a reader may see and asked for; null is all of them. */
export type Filter = readonly string[] | null

/** What both the request's filter and the token's grant let through. */
export function narrow(asked: Filter, granted: Filter): Filter {
  if (asked === null || granted === null) return asked ?? granted
  return asked.filter((collection) => granted.includes(collection))
}

export function passes(filter: Filter, key: string): boolean {
  return filter === null || filter.includes(collectionOf(key))
}

/**
 * Where a reader stands in the feed: `epoch.seq`, and a digest of the filter where there is one.
 * Opaque to clients.
 */
export function formatCursor(epoch: string, seq: number, filter: Filter): string {
  return filter === null ? `${epoch}.${seq}` : `${epoch}.${seq}.${digest(filter)}`
}

/** Where to read on, and whether the reader must first clear its copy. */
export interface Position {
  readonly after: number
  readonly reset: boolean
}

/** The bounds of what the feed can continue: below the floor tombstones are gone, past the head is nothing. */
export interface Feed {
  readonly epoch: string
  readonly floor: number
  readonly head: number
}

/**
 * The position a cursor stands for. A cursor of another epoch or filter, one past the head or below the
 * floor, and one that is none at all cannot be continued: the feed starts anew, under `reset`.
 */
export function positionOf(cursor: string | null, filter: Filter, feed: Feed): Position {
  if (cursor === null) return { after: NOTHING, reset: false }
  const seq = seqOf(cursor)
  const continues = cursor === formatCursor(feed.epoch, seq, filter) && seq >= feed.floor && seq <= feed.head
  return continues ? { after: seq, reset: false } : { after: NOTHING, reset: true }
}

/** At most how many changes a reader of this filter has yet to read; 0 is exact. */
export function pendingAfter(cursor: string | null, filter: Filter, feed: Feed): number {
  return feed.head - positionOf(cursor, filter, feed).after
}

function seqOf(cursor: string): number {
  return Number(/^[^.]+\.(\d{1,15})(?:\.|$)/.exec(cursor)?.[1] ?? Number.NaN)
}

/** FNV-1a over the sorted names, twice with different seeds: an accident detector, no protection. */
function digest(filter: readonly string[]): string {
  const text = JSON.stringify([...new Set(filter)].sort())
  return fnv1a(text, 0x811c9dc5).toString(36) + fnv1a(text, 0x01000193).toString(36)
}

function fnv1a(text: string, seed: number): number {
  let hash = seed
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  }
  return hash >>> 0
}
