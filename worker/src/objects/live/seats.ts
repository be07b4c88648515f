import type { Session } from '../../core/access/session.ts'
import { MAX_SOCKETS } from '../../core/values/socket-limits.ts'

import { end, isOpen } from './socket.ts'

/** What the platform finds a socket by: its session, to end it with that, and its credential. */
export function tagsOf({ id, token }: Session): [session: string, credential: string] {
  return [id, token]
}

/**
 * Whether one more socket of a credential may be opened. Where all are taken, a credential that holds the most gives one
 * up for another that would still hold fewer: so nobody can keep others out, with however many sockets.
 */
export function makeRoom(ctx: DurableObjectState, credential: string): boolean {
  const open = ctx.getWebSockets().filter(isOpen)
  if (open.length < MAX_SOCKETS) return true
  const held = Map.groupBy(open, (socket) => ctx.getTags(socket)[1])
  const most = [...held.values()].reduce((one, other) => (other.length > one.length ? other : one))
  const [given] = most
  const mine = held.get(credential)?.length ?? 0
  if (given === undefined || mine + 1 >= most.length) return false
  end(given, 'crowded')
  return true
}
