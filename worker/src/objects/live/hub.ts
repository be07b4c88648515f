import type { Session } from '../../core/access/session.ts'
import { resumePoint } from '../../core/feed/cursor.ts'
import type { FeedPosition } from '../../core/feed/listener.ts'
import { problemOf } from '../../core/problem.ts'
import { endingOf } from '../../core/socket-ending.ts'
import type { Filter } from '../../core/values/collections.ts'
import type { Observer } from '../report/observer.ts'
import { checkSession, checkUnexpired } from '../space/admission.ts'
import type { Space } from '../space/space.ts'
import type { Listeners } from './listeners.ts'
import { endSocket } from './socket.ts'

/** The state and the environment that all parts of `live/` share. */
export interface Hub {
  readonly ctx: DurableObjectState
  readonly env: Env
  readonly space: Space
  /** The time, ms. */
  readonly clock: () => number
  /** A new request id. */
  readonly newId: () => string
  readonly observer: Pick<Observer, 'synced' | 'refused' | 'failed'>
  readonly listeners: Listeners
  /** The sockets whose push is about to be acknowledged with a page. A frame sent first could lead past the page's cursor. */
  readonly replying: WeakSet<WebSocket>
}

/** Ends a socket whose session is no longer valid, and returns whether it did. Called before anything is sent on the socket. */
export function endIfOver({ space, clock }: Hub, socket: WebSocket, session: Session): boolean {
  const now = clock()
  const known = checkSession(space, session, now)
  if (!known.ok) endSocket(socket, endingOf(problemOf(known.fault).code) ?? 'revoked')
  else if (!checkUnexpired(session, now).ok) endSocket(socket, 'expired')
  else return false
  return true
}

/** The position of a cursor in the feed of a filter; null for a cursor that cannot be continued. */
export function feedPositionOf({ state }: Space, cursor: string, filter: Filter): FeedPosition | null {
  const { epoch, floor, seq: head } = state
  const { seq, scan, reset } = resumePoint(cursor, filter, { epoch, floor, head })
  return reset !== null ? null : { epoch, place: { seq, scan }, cursor }
}
