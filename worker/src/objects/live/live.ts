import type { Caller, Ticket } from '../../core/access/session.ts'
import type { Fault } from '../../core/fault.ts'
import { formatCursor } from '../../core/feed/cursor.ts'
import type { Listener } from '../../core/feed/listener.ts'
import { defectLine } from '../../core/log-line.ts'
import { narrow } from '../../core/values/collections.ts'
import { accepted, type Result, refused } from '../../core/values/result.ts'
import { MAX_ATTACHMENT_LENGTH, MAX_SOCKETS, SEEN_DEADLINE_MS } from '../../core/values/socket-limits.ts'
import { FOREIGN } from '../../core/values/version.ts'
import { PING, PONG } from '../../schema/live.ts'
import type { LiveQuery } from '../../schema/query.ts'
import { checkCollections, checkScope, checkSession } from '../space/admission.ts'
import { broadcastOf, frameText, pokeText } from './broadcast.ts'
import { feedPositionOf, type Hub } from './hub.ts'
import { receive } from './message.ts'
import { queue } from './queue.ts'
import { makeRoom, tagsOf } from './seats.ts'
import { end, listenerOf, remember, say } from './socket.ts'

/** What it takes to open a socket. */
export interface Opening {
  readonly session: Caller
  readonly query: LiveQuery
  /** What is opened with it, where that is not the session itself; `expiresAt` in seconds. */
  readonly ticket?: Pick<Ticket, 'id' | 'expiresAt'> | undefined
}

/** The sockets of a space. All that they must remember is attached to them: the object may hibernate between events. */
export interface Live {
  /** The client's end of a new socket. */
  open(opening: Opening): Result<WebSocket, Fault>
  /** What a client says; in its order, because a batch must not overtake the one before. */
  receive(socket: WebSocket, message: string | ArrayBuffer): Promise<void>
  /** Tells everyone who follows, if the space has moved. Returns at once. */
  changed(): void
  /** Closes the sockets of a session or token that was ended; without one, all: their space was erased. */
  close(ended?: string): void
}

export function liveOf(host: Omit<Hub, 'answering'>): Live {
  const hub: Hub = { ...host, answering: new WeakSet() }
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
      remember(server, listener.value)
      const { poked, cursor } = listener.value
      if (poked) say(server, pokeText(hub.space.state))
      else if (opening.query.cursor === undefined) say(server, frameText(null, cursor, []))
      broadcast.catchUp(listener.value)
      return accepted(client)
    },

    receive(socket, message) {
      const length = typeof message === 'string' ? message.length : message.byteLength
      const turn = messages.take(socket, length, () =>
        receive({ hub, broadcast, socket }, message).catch((thrown: unknown) => {
          // The runtime itself would neither answer nor close.
          console.error(defectLine(hub.env, hub.newId(), thrown))
          end(socket, 'defect')
        }),
      )
      if (turn !== false) return turn
      end(socket, 'flooding')
      return Promise.resolve()
    },

    changed: broadcast.changed,

    close(ended) {
      for (const socket of hub.ctx.getWebSockets(ended)) {
        const { session } = listenerOf(socket)
        end(socket, ended === undefined ? 'erased' : session.id === ended ? 'ended' : 'revoked')
      }
    },
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
  // Whoever is told something at once may say where it stands.
  const replies = poked || query.cursor === undefined ? 1 : 0
  return accepted({
    session: kept,
    filter,
    ...at,
    stood: at.place.seq,
    stoodScan: at.place.scan,
    poked,
    unseen: [],
    replies,
  })
}

function authorizeOpening({ space, clock }: Hub, { session, query }: Opening): Result<true, Fault> {
  const known = checkSession(space, session, clock())
  const allowed = known.ok ? checkScope(session, 'sync:read') : known
  return allowed.ok ? checkCollections(session, query.collections) : allowed
}
