import type { Session } from '../access/session.ts'
import type { Filter } from '../values/collections.ts'
import { MAX_UNSEEN, MAX_UNSEEN_BYTES, MAX_UNSEEN_FRAMES, SEEN_DEADLINE_MS } from '../values/socket-limits.ts'

import { NOTHING } from '../values/version.ts'
import type { Position } from './cursor.ts'

/**
 * A message that was sent on a socket and is not confirmed yet. `seq` and `scan` are the position to which the message
 * moves the client's copy, and `at` is when the message was sent, ms. `passedOver` is set once the client has pulled,
 * because the message then no longer fits the copy.
 */
export type Sent = readonly [seq: number, bytes: number, at: number, passedOver?: boolean, scan?: number]

/**
 * A client that follows the feed on a socket: all state that must survive the object's hibernation. Its field names are
 * stored in socket attachments.
 */
export interface Listener {
  readonly session: Session
  readonly filter: Filter
  readonly epoch: string
  /** How far the feed was read for the client. */
  readonly place: Position
  /** The position of the client's copy after everything sent. Its filter may hide changes before `place`. */
  readonly cursor: string | null
  /** The sequence number of the last position that the client confirmed. */
  readonly stood: number
  /** The scan of that position. Absent in attachments of an older release. */
  readonly stoodScan?: number
  /** The socket was opened without a cursor, and the client has told no position since. Absent in older attachments. */
  readonly unplaced?: boolean
  /** The client was told to pull. Nothing more is sent until it confirms a position. */
  readonly poked: boolean
  readonly unseen: readonly Sent[]
  /** The number of replies that the client still owes for what was sent. Absent in attachments of an older release. */
  readonly replies?: number
  /**
   * The number of its messages that exceeded a budget, less those accepted since. Absent in attachments of an older
   * release.
   */
  readonly refusals?: number
}

/** A position in a space's feed, and the cursor that names it. */
export interface FeedPosition {
  readonly epoch: string
  readonly place: Position
  readonly cursor: string
}

/** Whether the client has changes to be told. */
export function isBehind(listener: Listener, { epoch, seq }: { epoch: string; seq: number }): boolean {
  return !listener.poked && (listener.epoch !== epoch || listener.place.seq < seq)
}

/**
 * The sequence number up to which the copy of a client is known to have read: all that was read for it if nothing of
 * that waits for its confirmation, because its filter may hide the rest. Null in another epoch, or if the position is
 * not known.
 */
export function standsAt(listener: Listener, current: string): number | null {
  const { epoch, place, stood, unseen, poked, unplaced } = listener
  if (unplaced) return null
  const seq = unseen.length === 0 && !poked ? place.seq : stood
  return epoch === current && seq >= NOTHING ? seq : null
}

/** Whether a message has stayed unconfirmed for too long, because the client stopped reading or confirming. */
export function isStalled({ unseen: [oldest] }: Listener, now: number): boolean {
  return oldest !== undefined && oldest[2] <= now - SEEN_DEADLINE_MS
}

/** Whether one more frame of this size may be in flight to the client. */
export function hasRoom(listener: Listener, bytes: number): boolean {
  return listener.unseen.length < MAX_UNSEEN_FRAMES && unseenBytes(listener) + bytes <= MAX_UNSEEN_BYTES
}

export function unseenBytes({ unseen }: Listener): number {
  return unseen.reduce((sum, [, bytes]) => sum + bytes, 0)
}

/** Records a message that moves the client's copy to `to`. */
export function sentTo(
  listener: Listener,
  to: FeedPosition,
  { bytes, at }: { bytes: number; at: number },
): Listener {
  const { seq, scan } = to.place
  const sent: Sent = scan === NOTHING ? [seq, bytes, at] : [seq, bytes, at, false, scan]
  const unseen = [...listener.unseen, sent]
  return { ...awaiting(listener), ...to, poked: false, unseen }
}

/** Records that the client was told to pull. */
export function pokedNow(listener: Listener): Listener {
  return { ...awaiting(listener), poked: true }
}

/** Expects one more message from the client, which confirms everything that it is sent. */
function awaiting(listener: Listener): Listener {
  return { ...listener, replies: Math.min(MAX_UNSEEN, (listener.replies ?? 0) + 1) }
}

/**
 * Whether a sent message leads to the position, or the client confirmed the position before. Then continuing there is
 * free.
 */
export function isReachable(listener: Listener, { epoch, place }: FeedPosition): boolean {
  if (listener.epoch !== epoch) return false
  return isConfirmed(listener, place) || listener.unseen.some((sent) => leadsTo(sent, place))
}

/** Whether frames in flight continue from the position. Then the client gets the rest without a new start. */
function isOnTheWay(listener: Listener, place: Position): boolean {
  return (
    isConfirmed(listener, place) ||
    listener.unseen.some((sent) => !isPassedOver(sent) && leadsTo(sent, place))
  )
}

/**
 * Whether the client confirmed exactly this position, including its scan. At one sequence number, a client that reads
 * the space from the start has another cursor than a client that continues from a copy, and no frame fits both.
 */
function isConfirmed({ stood, stoodScan = NOTHING }: Listener, { seq, scan }: Position): boolean {
  return stood === seq && stoodScan === scan
}

function leadsTo([to, , , , ofScan = NOTHING]: Sent, { seq, scan }: Position): boolean {
  return to === seq && ofScan === scan
}

function isPassedOver([, , , passedOver = false]: Sent): boolean {
  return passedOver
}

/**
 * Records the position that the client confirmed. If the position is the end of a frame or ack in flight, that message
 * is confirmed. Otherwise the client has pulled: frames in flight no longer fit its copy, and it is followed from the
 * new position. Messages that were passed over stay unconfirmed, and their ends are not positions to continue from
 * (LV3).
 */
export function confirmedAt(listener: Listener, at: FeedPosition): Listener {
  const { seq, scan } = at.place
  const said = { stood: seq, stoodScan: scan, unplaced: false }
  if (listener.epoch !== at.epoch) return { ...listener, ...at, ...said, poked: false, unseen: [] }
  const unseen = listener.unseen.filter(([to]) => to > seq)
  if (isOnTheWay(listener, at.place)) return { ...listener, ...said, unseen }
  return { ...listener, ...at, ...said, poked: false, unseen: unseen.map(passOver) }
}

function passOver([seq, bytes, at, , scan = NOTHING]: Sent): Sent {
  return scan === NOTHING ? [seq, bytes, at, true] : [seq, bytes, at, true, scan]
}
