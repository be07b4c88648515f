import type { Fault } from '../../core/fault.ts'
import { MAX_NOTE_LENGTH, MAX_REFUSED_MESSAGES } from '../../core/values/limits.ts'
import { accepted, type Result } from '../../core/values/result.ts'
import { spendBudget } from '../space/admission.ts'
import { endIfOver, type Hub } from './hub.ts'
import { endSocket, isOpen, listenerOf, saveListener } from './socket.ts'

/** What a message cost: a request of its sender's budgets, or nothing yet, because it answers what was sent. */
export type Charge = 'paid' | 'free'

/**
 * Counts a message before anything of it is read. Short ones are free for as long as something that was sent has not
 * been answered. Null: the socket has ended.
 */
export async function chargeMessage(
  hub: Hub,
  socket: WebSocket,
  length: number,
): Promise<Result<Charge, Fault> | null> {
  const { replies = 0 } = listenerOf(socket)
  if (length <= MAX_NOTE_LENGTH && replies > 0) return accepted('free')
  return chargeBudget(hub, socket)
}

/** Counts a message that turned out to be none of those that are free. */
export async function chargeIfFree(
  hub: Hub,
  socket: WebSocket,
  toll: Result<Charge, Fault>,
): Promise<Result<Charge, Fault> | null> {
  return toll.ok && toll.value === 'free' ? chargeBudget(hub, socket) : toll
}

/** Counts a message like a request. A socket that goes on over its budget is ended. */
async function chargeBudget(hub: Hub, socket: WebSocket): Promise<Result<Charge, Fault> | null> {
  const counted = await spendBudget(hub.space, listenerOf(socket).session, hub.clock())
  if (!isOpen(socket) || endIfOver(hub, socket, listenerOf(socket).session)) return null
  const listener = listenerOf(socket)
  // One that is taken makes up for one that was refused, and not for all: a flood in gusts is one too.
  const refusals = Math.max(0, (listener.refusals ?? 0) + (counted.ok ? -1 : 1))
  if (refusals > MAX_REFUSED_MESSAGES) {
    endSocket(socket, 'flooding')
    return null
  }
  if (refusals !== (listener.refusals ?? 0)) saveListener(socket, { ...listener, refusals })
  return counted.ok ? accepted('paid') : counted
}

/** Uses up one of the messages that were free. */
export function spendReply(socket: WebSocket): void {
  const listener = listenerOf(socket)
  saveListener(socket, { ...listener, replies: Math.max(0, (listener.replies ?? 0) - 1) })
}
