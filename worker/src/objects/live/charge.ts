import type { Fault } from '../../core/fault.ts'
import type { Listener } from '../../core/feed/listener.ts'
import { accepted, type Result } from '../../core/values/result.ts'
import { MAX_NOTE_LENGTH, MAX_REFUSED_MESSAGES } from '../../core/values/socket-limits.ts'
import { spendBudget } from '../space/admission.ts'
import { endIfOver, type Hub } from './hub.ts'
import { endSocket, isOpen } from './socket.ts'

/** The charge for a message: `paid` is one request of its sender's budgets, `free` nothing so far. */
export type Charge = 'paid' | 'free'

/**
 * Charges a message before it is parsed. Short messages are free as long as the client owes a reply to something it was
 * sent. Returns null if the socket has ended.
 */
export async function chargeMessage(
  hub: Hub,
  socket: WebSocket,
  length: number,
): Promise<Result<Charge, Fault> | null> {
  if (length <= MAX_NOTE_LENGTH && owesReply(hub.listeners.of(socket))) return accepted('free')
  return chargeBudget(hub, socket)
}

/** Charges a message whose kind is not free after all. */
export async function chargeIfFree(
  hub: Hub,
  socket: WebSocket,
  charge: Result<Charge, Fault>,
): Promise<Result<Charge, Fault> | null> {
  return charge.ok && charge.value === 'free' ? chargeBudget(hub, socket) : charge
}

/** Charges a message like a request. A socket that keeps exceeding its budget is ended. */
async function chargeBudget(hub: Hub, socket: WebSocket): Promise<Result<Charge, Fault> | null> {
  const counted = await spendBudget(hub.space, hub.listeners.of(socket).session, hub.clock())
  if (!isOpen(socket) || endIfOver(hub, socket, hub.listeners.of(socket).session)) return null
  const listener = hub.listeners.of(socket)
  // An accepted message cancels one refusal and not all of them, because a flood may come in bursts.
  const refusals = Math.max(0, (listener.refusals ?? 0) + (counted.ok ? -1 : 1))
  if (refusals > MAX_REFUSED_MESSAGES) {
    endSocket(socket, 'flooding')
    return null
  }
  if (refusals !== (listener.refusals ?? 0)) hub.listeners.save(socket, { ...listener, refusals })
  return counted.ok ? accepted('paid') : counted
}

/** Whether the client owes a reply to something it was sent, and so has a free message. */
export function owesReply({ replies = 0 }: Listener): boolean {
  return replies > 0
}

/** Uses up one of the client's free messages. */
export function replySpent(listener: Listener): Listener {
  return { ...listener, replies: Math.max(0, (listener.replies ?? 0) - 1) }
}
