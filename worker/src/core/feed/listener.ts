import type { Session } from '../access/session.ts'
import type { Filter } from '../values/collections.ts'
import { MAX_UNSEEN, MAX_UNSEEN_BYTES, MAX_UNSEEN_FRAMES, SEEN_DEADLINE_MS } from '../values/limits.ts'
import { NOTHING } from '../values/version.ts'
import type { Position } from './cursor.ts'

/**
 * What was sent on a socket and not confirmed yet: where the client stands after it, its size, and when (ms). Passed over
 * is what no longer fits the client's copy, because the client has pulled. `scan`: of the cursor that it leads to.
 */
export type Sent = readonly [seq: number, bytes: number, at: number, passedOver?: boolean, scan?: number]

/** A client that follows the feed on a socket: all that must outlive the object's hibernation. */
export interface Listener {
  readonly session: Session
  readonly filter: Filter
  readonly epoch: string
  /** How far the feed was read for it. */
  readonly place: Position
  /** Where its copy stands after all that was sent: changes that its filter hides may lie between. */
  readonly cursor: string | null
  /** Where its client last said that the copy stands. */
  readonly stood: number
  /** The scan of that cursor; absent in what an older release attached. */
  readonly stoodScan?: number
  /** It was told to pull; until it says where it stands nothing more is sent. */
  readonly poked: boolean
  readonly unseen: readonly Sent[]
  /** How many messages it may yet send for what was sent to it. Absent in what an older release attached. */
  readonly replies?: number
  /** How many of its messages were over a budget, less those that were taken since. Absent too. */
  readonly refusals?: number
}

/** A place in a space's feed, and the cursor that names it. */
export interface FeedPosition {
  readonly epoch: string
  readonly place: Position
  readonly cursor: string
}

/** Whether there is something to tell it. */
export function isBehind(listener: Listener, { epoch, seq }: { epoch: string; seq: number }): boolean {
  return !listener.poked && (listener.epoch !== epoch || listener.place.seq < seq)
}

/** Whether it has left unconfirmed for too long what was sent: it reads no more, or forgot to say so. */
export function isStalled({ unseen: [oldest] }: Listener, now: number): boolean {
  return oldest !== undefined && oldest[2] <= now - SEEN_DEADLINE_MS
}

/** Whether one more frame of this size may be under way to it. */
export function hasRoom(listener: Listener, bytes: number): boolean {
  return listener.unseen.length < MAX_UNSEEN_FRAMES && unseenBytes(listener) + bytes <= MAX_UNSEEN_BYTES
}

export function unseenBytes({ unseen }: Listener): number {
  return unseen.reduce((sum, [, bytes]) => sum + bytes, 0)
}

/** The listener after something was sent that leaves its copy at `to`. */
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

/** The listener after it was told to pull. */
export function pokedNow(listener: Listener): Listener {
  return { ...awaiting(listener), poked: true }
}

/** With one more message that is to come from it: a client says where it stands after everything that it is sent. */
function awaiting(listener: Listener): Listener {
  return { ...listener, replies: Math.min(MAX_UNSEEN, (listener.replies ?? 0) + 1) }
}

/** Whether something that was sent led to a position, or the client said it before: it costs nothing to go on there. */
export function wasLedTo(listener: Listener, { epoch, place }: FeedPosition): boolean {
  if (listener.epoch !== epoch) return false
  return isStood(listener, place) || listener.unseen.some((sent) => leadsTo(sent, place))
}

/** Whether what was sent goes on from a position: then the client gets the rest without being followed anew. */
function isOnTheWay(listener: Listener, place: Position): boolean {
  return (
    isStood(listener, place) || listener.unseen.some((sent) => !isPassedOver(sent) && leadsTo(sent, place))
  )
}

/**
 * Whether the client has said a position. A reader that scans from nothing has another cursor than one that does not, at
 * the same sequence number: no frame fits both.
 */
function isStood({ stood, stoodScan = NOTHING }: Listener, { seq, scan }: Position): boolean {
  return stood === seq && stoodScan === scan
}

function leadsTo([to, , , , ofScan = NOTHING]: Sent, { seq, scan }: Position): boolean {
  return to === seq && ofScan === scan
}

function isPassedOver([, , , passedOver = false]: Sent): boolean {
  return passedOver
}

/**
 * The listener after its client said where its copy stands. If a frame or ack that is under way ends there, the client
 * has confirmed it. If not, the client has pulled: what is under way does not fit its copy any more, and it is followed
 * from there. Frames that were passed over stay unconfirmed, but their ends are no positions to go on from (LV3).
 */
export function standsAt(listener: Listener, at: FeedPosition): Listener {
  const { seq, scan } = at.place
  const said = { stood: seq, stoodScan: scan }
  if (listener.epoch !== at.epoch) return { ...listener, ...at, ...said, poked: false, unseen: [] }
  const unseen = listener.unseen.filter(([to]) => to > seq)
  if (isOnTheWay(listener, at.place)) return { ...listener, ...said, unseen }
  return { ...listener, ...at, ...said, poked: false, unseen: unseen.map(passOver) }
}

function passOver([seq, bytes, at, , scan = NOTHING]: Sent): Sent {
  return scan === NOTHING ? [seq, bytes, at, true] : [seq, bytes, at, true, scan]
}
