import type { Fault } from '../../core/fault.ts'
import { confirmedAt, isReachable } from '../../core/feed/listener.ts'
import { problemDocument, problemOf } from '../../core/problem.ts'
import { fitsBytes } from '../../core/values/json.ts'
import { MAX_MESSAGE_BYTES } from '../../core/values/limits.ts'
import { accepted, type Result } from '../../core/values/result.ts'
import { MAX_NOTE_LENGTH } from '../../core/values/socket-limits.ts'
import { cursorOfText, idOfText, PONG, parseMessage } from '../../schema/request/live.ts'
import { weightOfPush } from '../space/serve.ts'
import { type Charge, chargeIfFree, chargeMessage, owesReply, replySpent } from './charge.ts'
import { endIfOver, feedPositionOf } from './hub.ts'
import { type MessageContext, refusePush, servePush } from './push.ts'
import { endSocket, isOpen, send } from './socket.ts'

/** Serves a message of a client and replies on its socket. */
export async function receive(context: MessageContext, message: string | ArrayBuffer): Promise<void> {
  const { hub, socket } = context
  const listener = hub.listeners.of(socket)
  if (!isOpen(socket) || endIfOver(hub, socket, listener.session)) return
  if (typeof message !== 'string') return endSocket(socket, 'binary')
  const cursor = cursorOfText(message)
  if (cursor !== null && owesReply(listener) && confirm(context, cursor)) return
  if (!fitsBytes(message, MAX_MESSAGE_BYTES)) return endSocket(socket, 'too-large')
  const charge = await chargeMessage(hub, socket, message.length)
  if (charge === null) return
  if (message.length <= MAX_NOTE_LENGTH) return handle(context, message, charge)
  // A long message is parsed only if it is within its budgets and there is memory to serve it.
  const served = charge.ok
    ? await hub.space.inFlight.serve(weightOfPush(message), async () =>
        accepted(await handle(context, message, charge)),
      )
    : charge
  if (!served.ok) refuseLong(context, message, served.fault)
}

/** Refuses a long message without parsing it. Only its id is read. */
function refuseLong(context: MessageContext, message: string, fault: Fault): void {
  const id = idOfText(message)
  if (id === null) sendError(context, fault)
  else refusePush(context, id, fault)
}

async function handle(
  context: MessageContext,
  message: string,
  charge: Result<Charge, Fault>,
): Promise<void> {
  const { hub, socket } = context
  const parsed = parseMessage(message)
  const kind = parsed.ok ? parsed.value.type : 'unknown'
  if (kind !== 'push' && message.length > MAX_NOTE_LENGTH) return endSocket(socket, 'too-large')
  const paid = kind === 'seen' ? charge : await chargeIfFree(hub, socket, charge)
  if (paid === null) return
  if (parsed.ok && parsed.value.type === 'push')
    return servePush(context, { message: parsed.value, text: message, paid })
  if (!paid.ok) return sendError(context, paid.fault)
  if (!parsed.ok) return sendError(context, parsed.fault)
  if (parsed.value.type === 'seen') return followFrom(context, parsed.value.cursor, paid.value)
  send(socket, PONG)
}

function sendError({ hub, socket }: MessageContext, fault: Fault): void {
  const body = problemDocument(problemOf(fault), hub.newId())
  send(socket, JSON.stringify({ type: 'error', body }))
}

/** Confirms a position that a message led to, with one of the client's free messages. Returns false for another position. */
function confirm({ hub, broadcast, socket }: MessageContext, cursor: string): boolean {
  const listener = hub.listeners.of(socket)
  const at = feedPositionOf(hub.space, cursor, listener.filter)
  // A client that was told to pull was charged for the pull.
  if (at === null || !(isReachable(listener, at) || listener.poked)) return false
  const moved = confirmedAt(replySpent(listener), at)
  hub.listeners.save(socket, moved)
  broadcast.catchUp(moved)
  return true
}

/**
 * Follows the feed from the position of the client's copy. If no frame led there, the feed is read again for this client,
 * which is charged like a pull.
 */
async function followFrom(context: MessageContext, cursor: string, charge: Charge): Promise<void> {
  const { hub, broadcast, socket } = context
  if (charge === 'free') {
    if (confirm(context, cursor)) return
    hub.listeners.save(socket, replySpent(hub.listeners.of(socket)))
  }
  const paid = await chargeIfFree(hub, socket, accepted(charge))
  if (paid === null) return
  if (!paid.ok) return sendError(context, paid.fault)
  const listener = hub.listeners.of(socket)
  const at = feedPositionOf(hub.space, cursor, listener.filter)
  if (at === null) {
    const detail = "cursor: cannot be continued here; pull, with this socket's collections"
    return sendError(context, { code: 'invalid-request', detail })
  }
  const moved = confirmedAt(listener, at)
  hub.listeners.save(socket, moved)
  broadcast.catchUp(moved)
}
