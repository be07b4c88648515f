import type { Filter } from '../values/collections.ts'
import { fnv1a } from '../values/fnv1a.ts'
import { NOTHING } from '../values/version.ts'

/** A reader's position in the feed. */
export interface Position {
  readonly seq: number
  /**
   * The latest sequence number at the time the reader began without a copy: it never held what was deleted up to this
   * number. `NOTHING` for a reader that continues from a copy.
   */
  readonly scan: number
}

/**
 * Encodes a position as a cursor, opaque to clients: `epoch.seq`, the `scan` until the reader has passed it, and a
 * digest of the filter if there is one.
 */
export function formatCursor(epoch: string, { seq, scan }: Position, filter: Filter): string {
  const position = scan > seq ? `${seq}-${scan}` : `${seq}`
  return filter === null ? `${epoch}.${position}` : `${epoch}.${position}.${digestOf(filter)}`
}

/**
 * The reason why a cursor cannot be continued. `epoch`: the space was erased or restored. `head`: the space was set
 * back to an earlier state of its storage. `filter`: the cursor is for other collections. `floor`: deletions after the
 * cursor are forgotten. `cursor`: the space never issued it.
 */
export const RESET_REASONS = ['epoch', 'head', 'filter', 'floor', 'cursor'] as const
export type ResetReason = (typeof RESET_REASONS)[number]

/** The position to read from. With a reason, the reader starts over. */
export interface ResumePoint extends Position {
  readonly reset: ResetReason | null
}

/** The range of the feed that can be continued. Below the floor, tombstones are gone. The head is the newest sequence number. */
export interface Feed {
  readonly epoch: string
  readonly floor: number
  readonly head: number
}

/** The position that a cursor names; the start of the feed if the cursor cannot be continued. */
export function resumePoint(cursor: string | null, filter: Filter, feed: Feed): ResumePoint {
  const start = { seq: NOTHING, scan: feed.head }
  if (cursor === null) return { ...start, reset: null }
  const parsed = parseCursor(cursor)
  if (parsed === null) return { ...start, reset: 'cursor' }
  const reset = resetReasonOf(parsed, filter, feed)
  return { ...(reset === null ? parsed.position : start), reset }
}

/** The worst reasons come first: after `epoch` and `head`, the reader's copy may hold data that the space has lost. */
function resetReasonOf({ epoch, position, digest }: Cursor, filter: Filter, feed: Feed): ResetReason | null {
  if (epoch !== feed.epoch) return 'epoch'
  if (Math.max(position.seq, position.scan) > feed.head) return 'head'
  if (digest !== digestOf(filter)) return 'filter'
  return isAbove(feed.floor, position) ? null : 'floor'
}

/** Whether every deletion that the reader must learn of is still remembered. The floor may rise while it reads. */
export function isAbove(floor: number, { seq, scan }: Position): boolean {
  return Math.max(seq, scan) >= floor
}

/** An upper bound of the changes that a reader with this filter has yet to read; 0 is exact. */
export function pendingAfter(cursor: string | null, filter: Filter, feed: Feed): number {
  return feed.head - resumePoint(cursor, filter, feed).seq
}

/** The sequence number up to which the holder of a cursor has read; null if the cursor is of another epoch, or none. */
export function readUpTo(cursor: string, epoch: string): number | null {
  const parsed = parseCursor(cursor)
  return parsed?.epoch === epoch ? parsed.position.seq : null
}

/** The parts of a cursor. */
interface Cursor {
  readonly epoch: string
  readonly position: Position
  /** Empty without a filter. */
  readonly digest: string
}

/** Returns null for a text that no space has issued. */
function parseCursor(cursor: string): Cursor | null {
  const match = /^([0-9a-z]{1,13})\.(0|[1-9]\d{0,14})(?:-([1-9]\d{0,14}))?(?:\.([0-9a-z]+))?$/.exec(cursor)
  if (match === null) return null
  const [, epoch = '', seq, scan = NOTHING, digest = ''] = match
  const position = { seq: Number(seq), scan: Number(scan) }
  return position.scan > 0 && position.scan <= position.seq ? null : { epoch, position, digest }
}

/** FNV-1a over the sorted names, twice with different seeds. Empty without a filter. */
function digestOf(filter: Filter): string {
  if (filter === null) return ''
  const text = JSON.stringify([...new Set(filter)].sort())
  return fnv1a(text).toString(36) + fnv1a(text, 0x01000193).toString(36)
}
