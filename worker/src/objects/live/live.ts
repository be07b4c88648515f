import type { Caller, Ticket } from '../../core/access/session.ts'
import type { Fault } from '../../core/fault.ts'
import { formatCursor } from '../../core/feed/cursor.ts'
import type { Listener } from '../../core/feed/listener.ts'
import { narrow } from '../../core/values/collections.ts'
import { accepted, type Result, refused } from '../../core/values/result.ts'
import { MAX_ATTACHMENT_LENGTH, MAX_SOCKETS, SEEN_DEADLINE_MS } from '../../core/values/socket-limits.ts'
import { FOREIGN } from '../../core/values/version.ts'
import { PING, PONG } from '../../schema/request/live.ts'
import type { LiveQuery } from '../../schema/request/query.ts'
import { checkCollections, checkScope, checkSession } from '../space/admission.ts'
import { broadcastOf, frameText, pokeText } from './broadcast.ts'
import { feedPositionOf, type Hub } from './hub.ts'
import { listeners } from './listeners.ts'
import { receive } from './message.ts'
import { queue } from './queue.ts'
import { endSocket, isOpen, send } from './socket.ts'
import { makeRoom, tagsOf } from './socket-limit.ts'

/** The session and query of a new socket. */
export interface Opening {
  readonly session: Caller
  readonly query: LiveQuery
  /** The ticket that opens the socket, if it was not opened with the session itself. `expiresAt` is in seconds. */
  readonly ticket?: Pick<Ticket, 'id' | 'expiresAt'> | undefined
}

/** The sockets of a space. Their state is attached to them, because the object may hibernate between events. */
export interface Live {
  /** Opens a socket and returns the client's end. */
  open(opening: Opening): Result<WebSocket, Fault>
  /** Serves a message, after the earlier ones of the same socket: a batch must not overtake the batch before it. */
  receive(socket: WebSocket, message: string | ArrayBuffer): Promise<void>
  /** Sends the changes of the space to all sockets. Returns at once. */
  changed(): void
  /** Closes the sockets of a revoked session or token; without an id all sockets, because the space was erased. */
  close(ended?: string): void
  /** The clients that follow now. */
  followers(): readonly Listener[]
  /** The client of a socket, which may be closed. */
  followerOf(socket: WebSocket): Listener
}

export function liveOf(host: Omit<Hub, 'listeners' | 'replying'>): Live {
  const hub: Hub = { ...host, listeners: listeners(), replying: new WeakSet() }
  const broadcast = broadcastOf(hub)
  const messages = queue()
  hub.ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair(PING, PONG))
  return {
    open(opening) {
      const listener = listenerFor(hub, opening)
      if (!listener.ok) return listener
      const { 0: client, 1: server } = new WebSocketPair()
      const { session } = opening
      hub.ctx.acceptWebSocket(server, tagsOf(session))
      hub.listeners.save(server, listener.value)
      const { poked, cursor } = listener.value
      if (poked) send(server, pokeText(hub.space.state))
      else if (opening.query.cursor === undefined) send(server, frameText(null, cursor, []))
      broadcast.catchUp(listener.value)
      return accepted(client)
    },

    receive(socket, message) {
      const length = typeof message === 'string' ? message.length : message.byteLength
      const turn = messages.enqueue(socket, length, () =>
        receive({ hub, broadcast, socket }, message).catch((thrown: unknown) => {
          // The runtime would leave the socket open without a reply.
          hub.observer.failed(thrown)
          endSocket(socket, 'defect')
        }),
      )
      if (turn !== false) return turn
      endSocket(socket, 'flooding')
      return Promise.resolve()
    },

    changed: broadcast.changed,

    close(ended) {
      for (const socket of hub.ctx.getWebSockets(ended)) {
        const { session } = hub.listeners.of(socket)
        endSocket(socket, ended === undefined ? 'erased' : session.id === ended ? 'ended' : 'revoked')
      }
    },

    followers: () => hub.ctx.getWebSockets().filter(isOpen).map(hub.listeners.of),
    followerOf: hub.listeners.of,
  }
}

function listenerFor(hub: Hub, { session, query }: Opening): Result<Listener, Fault> {
  const { ctx, space } = hub
  const allowed = authorizeOpening(hub, { session, query })
  if (!allowed.ok) return allowed
  const filter = narrow(query.collections ?? null, session.collections)
  if (JSON.stringify([session, filter]).length > MAX_ATTACHMENT_LENGTH) {
    return refused({ code: 'invalid-request', detail: 'collections: too many and too long for a socket' })
  }
  if (!makeRoom(ctx, session.token)) {
    return refused({ code: 'busy', limit: MAX_SOCKETS, retryAfterSeconds: SEEN_DEADLINE_MS / 1000 })
  }
  const { epoch, seq } = space.state
  const cursor = query.cursor ?? formatCursor(epoch, { seq, scan: 0 }, filter)
  const at = feedPositionOf(space, cursor, filter) ?? {
    epoch,
    place: { seq: FOREIGN, scan: 0 },
    cursor: null,
  }
  const { configRevision: _, ...kept } = session
  const poked = at.cursor === null
  // A client that is sent something at once may report its position for free.
  const replies = poked || query.cursor === undefined ? 1 : 0
  return accepted({
    session: kept,
    filter,
    ...at,
    stood: at.place.seq,
    stoodScan: at.place.scan,
    poked,
    unplaced: query.cursor === undefined,
    unseen: [],
    replies,
  })
}

function authorizeOpening({ space, clock }: Hub, { session, query }: Opening): Result<true, Fault> {
  const known = checkSession(space, session, clock())
  const allowed = known.ok ? checkScope(session, 'sync:read') : known
  return allowed.ok ? checkCollections(session, query.collections) : allowed
}
