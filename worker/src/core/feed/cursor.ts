import type { Filter } from '../values/collections.ts'
import { NOTHING } from '../values/version.ts'

/** How far a reader has come. */
export interface Position {
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
export function formatCursor(epoch: string, { seq, scan }: Position, filter: Filter): string {
  const place = scan > seq ? `${seq}-${scan}` : `${seq}`
  return filter === null ? `${epoch}.${place}` : `${epoch}.${place}.${digestOf(filter)}`
}

/**
 * Why a cursor cannot be continued. `epoch`: the space was erased, or restored, since. `head`: the space was set back to an
 * earlier state of its storage. `filter`: it is of other collections. `floor`: deletions after it are forgotten. `cursor`:
 * the space never gave it out.
 */
export const RESET_REASONS = ['epoch', 'head', 'filter', 'floor', 'cursor'] as const
export type ResetReason = (typeof RESET_REASONS)[number]

/** Where to read on; with a reason, the reader starts over. */
export interface ResumePoint extends Position {
  readonly reset: ResetReason | null
}

/** The bounds of what the feed can continue: below the floor tombstones are gone, past the head is nothing. */
export interface Feed {
  readonly epoch: string
  readonly floor: number
  readonly head: number
}

/** The position a cursor stands for; the start of the feed for one that cannot be continued. */
export function resumePoint(cursor: string | null, filter: Filter, feed: Feed): ResumePoint {
  const anew = { seq: NOTHING, scan: feed.head }
  if (cursor === null) return { ...anew, reset: null }
  const parsed = parseCursor(cursor)
  if (parsed === null) return { ...anew, reset: 'cursor' }
  const reset = resetReasonOf(parsed, filter, feed)
  return { ...(reset === null ? parsed.place : anew), reset }
}

/** The worst first: after the first two, the reader's copy may hold what the space has lost. */
function resetReasonOf({ epoch, place, digest }: Cursor, filter: Filter, feed: Feed): ResetReason | null {
  if (epoch !== feed.epoch) return 'epoch'
  if (Math.max(place.seq, place.scan) > feed.head) return 'head'
  if (digest !== digestOf(filter)) return 'filter'
  return isAbove(feed.floor, place) ? null : 'floor'
}

/** Whether no deletion that the reader must hear of has been forgotten: the floor may rise while it reads. */
export function isAbove(floor: number, { seq, scan }: Position): boolean {
  return Math.max(seq, scan) >= floor
}

/** At most how many changes a reader of this filter has yet to read; 0 is exact. */
export function pendingAfter(cursor: string | null, filter: Filter, feed: Feed): number {
  return feed.head - resumePoint(cursor, filter, feed).seq
}

/** What a cursor says. */
interface Cursor {
  readonly epoch: string
  readonly place: Position
  /** Empty without a filter. */
  readonly digest: string
}

/** Null for a text that no space has given out. */
function parseCursor(cursor: string): Cursor | null {
  const match = /^([0-9a-z]{1,13})\.(0|[1-9]\d{0,14})(?:-([1-9]\d{0,14}))?(?:\.([0-9a-z]+))?$/.exec(cursor)
  if (match === null) return null
  const [, epoch = '', seq, scan = NOTHING, digest = ''] = match
  const place = { seq: Number(seq), scan: Number(scan) }
  return place.scan > 0 && place.scan <= place.seq ? null : { epoch, place, digest }
}

/** FNV-1a over the sorted names, twice with different seeds: an accident detector, no protection. Empty without a filter. */
function digestOf(filter: Filter): string {
  if (filter === null) return ''
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
