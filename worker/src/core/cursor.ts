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

/** How far a reader has come. */
export interface Place {
  readonly seq: number
  /**
   * The head when the reader began from nothing: its copy never held what was deleted up to there.
   * `NOTHING` for a reader that goes on from a copy.
   */
  readonly scan: number
}

/**
 * Where a reader stands in the feed: `epoch.seq`, the head at which its scan from nothing began until it has
 * passed that, and a digest of the filter where there is one. Opaque to clients.
 */
export function formatCursor(epoch: string, { seq, scan }: Place, filter: Filter): string {
  const place = scan > seq ? `${seq}-${scan}` : `${seq}`
  return filter === null ? `${epoch}.${place}` : `${epoch}.${place}.${digest(filter)}`
}

/** Where to read on, and whether the reader must first clear its copy. */
export interface Position extends Place {
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
  const anew = { seq: NOTHING, scan: feed.head }
  if (cursor === null) return { ...anew, reset: false }
  const place = placeOf(cursor)
  const continues = cursor === formatCursor(feed.epoch, place, filter) && isInside(place, feed)
  return continues ? { ...place, reset: false } : { ...anew, reset: true }
}

/** Whether no deletion that the reader must hear of has been forgotten: the floor may rise while it reads. */
export function isAbove(floor: number, { seq, scan }: Place): boolean {
  return Math.max(seq, scan) >= floor
}

/** At most how many changes a reader of this filter has yet to read; 0 is exact. */
export function pendingAfter(cursor: string | null, filter: Filter, feed: Feed): number {
  return feed.head - positionOf(cursor, filter, feed).seq
}

function isInside(place: Place, { floor, head }: Feed): boolean {
  return isAbove(floor, place) && Math.max(place.seq, place.scan) <= head
}

function placeOf(cursor: string): Place {
  const [, seq, scan = NOTHING] = /^[^.]+\.(\d{1,15})(?:-(\d{1,15}))?(?:\.|$)/.exec(cursor) ?? []
  return { seq: Number(seq), scan: Number(scan) }
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
