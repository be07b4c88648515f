import type { Session } from '../../core/access/session.ts'
import { MAX_SOCKETS } from '../../core/values/socket-limits.ts'
import { endSocket, isOpen } from './socket.ts'

/** The tags by which the platform finds a socket: its session, with which it ends, and its credential. */
export function tagsOf({ id, token }: Session): [session: string, credential: string] {
  return [id, token]
}

/**
 * Whether a credential may open one more socket. At the limit, the credential with the most sockets loses one to a
 * credential that would still have fewer. Nobody can keep others out by opening many sockets.
 */
export function makeRoom(ctx: DurableObjectState, credential: string): boolean {
  const open = ctx.getWebSockets().filter(isOpen)
  if (open.length < MAX_SOCKETS) return true
  const held = Map.groupBy(open, (socket) => ctx.getTags(socket)[1])
  const most = [...held.values()].reduce((one, other) => (other.length > one.length ? other : one))
  const [crowding] = most
  const mine = held.get(credential)?.length ?? 0
  if (crowding === undefined || mine + 1 >= most.length) return false
  endSocket(crowding, 'crowded')
  return true
}
