import type { Session } from '../../core/access/session.ts'
import { resumePoint } from '../../core/feed/cursor.ts'
import type { FeedPosition } from '../../core/feed/listener.ts'
import { problemOf } from '../../core/problem.ts'
import { endingOf } from '../../core/socket-ending.ts'
import type { Filter } from '../../core/values/collections.ts'
import { checkSession, checkUnexpired } from '../space/admission.ts'
import type { Space } from '../space/space.ts'
import { end } from './socket.ts'

/** What those who serve the sockets of a space share. */
export interface Hub {
  readonly ctx: DurableObjectState
  readonly env: Env
  readonly space: Space
  /** The time, ms. */
  readonly clock: () => number
  /** A new name for what a client asks. */
  readonly newId: () => string
  /** Those whose push is about to be answered with a page: a frame before it could lead past the page's cursor. */
  readonly answering: WeakSet<WebSocket>
}

/** Ends a socket whose session no longer holds. Asked before anything goes out on it. */
export function isOver({ space, clock }: Hub, socket: WebSocket, session: Session): boolean {
  const now = clock()
  const known = checkSession(space, session, now)
  if (!known.ok) end(socket, endingOf(problemOf(known.fault).code) ?? 'revoked')
  else if (!checkUnexpired(session, now).ok) end(socket, 'expired')
  else return false
  return true
}

/** Where a cursor stands in the feed of a filter; null for one that cannot be continued. */
export function feedPositionOf({ state }: Space, cursor: string, filter: Filter): FeedPosition | null {
  const { epoch, floor, seq: head } = state
  const { seq, scan, reset } = resumePoint(cursor, filter, { epoch, floor, head })
  return reset !== null ? null : { epoch, place: { seq, scan }, cursor }
}
