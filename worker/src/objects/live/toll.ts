import type { Fault } from '../../core/fault.ts'
import { accepted, type Result } from '../../core/values/result.ts'
import { MAX_NOTE_LENGTH, MAX_REFUSED_MESSAGES } from '../../core/values/socket-limits.ts'
import { spendBudget } from '../space/admission.ts'
import { type Hub, isOver } from './hub.ts'
import { end, isOpen, listenerOf, remember } from './socket.ts'

/** What a message cost: a request of its sender's budgets, or nothing yet, because it answers what was sent. */
export type Toll = 'paid' | 'free'

/**
 * Counts a message before anything of it is read. Short ones are free for as long as something that was sent has not
 * been answered. Null: the socket has ended.
 */
export async function charge(
  hub: Hub,
  socket: WebSocket,
  length: number,
): Promise<Result<Toll, Fault> | null> {
  const { replies = 0 } = listenerOf(socket)
  if (length <= MAX_NOTE_LENGTH && replies > 0) return accepted('free')
  return pay(hub, socket)
}

/** Counts a message that turned out to be none of those that are free. */
export async function payInFull(
  hub: Hub,
  socket: WebSocket,
  toll: Result<Toll, Fault>,
): Promise<Result<Toll, Fault> | null> {
  return toll.ok && toll.value === 'free' ? pay(hub, socket) : toll
}

/** Counts a message like a request. A socket that goes on over its budget is ended. */
async function pay(hub: Hub, socket: WebSocket): Promise<Result<Toll, Fault> | null> {
  const counted = await spendBudget(hub.space, listenerOf(socket).session, hub.clock())
  if (!isOpen(socket) || isOver(hub, socket, listenerOf(socket).session)) return null
  const listener = listenerOf(socket)
  // One that is taken makes up for one that was refused, and not for all: a flood in gusts is one too.
  const refusals = Math.max(0, (listener.refusals ?? 0) + (counted.ok ? -1 : 1))
  if (refusals > MAX_REFUSED_MESSAGES) {
    end(socket, 'flooding')
    return null
  }
  if (refusals !== (listener.refusals ?? 0)) remember(socket, { ...listener, refusals })
  return counted.ok ? accepted('paid') : counted
}

/** Uses up one of the messages that were free. */
export function spendReply(socket: WebSocket): void {
  const listener = listenerOf(socket)
  remember(socket, { ...listener, replies: Math.max(0, (listener.replies ?? 0) - 1) })
}
