import { PLACE_EXHAUSTED } from '../../core/access/budget.ts'
import type { Fault } from '../../core/fault.ts'
import { confirmedAt, sentTo, unseenBytes } from '../../core/feed/listener.ts'
import { keepPoint, requestLine, requestPoint } from '../../core/log-line.ts'
import { problemDocument, problemOf } from '../../core/problem.ts'
import { utf8Length } from '../../core/values/json.ts'
import { type Result, refused } from '../../core/values/result.ts'
import { MAX_NOTE_LENGTH, MAX_UNSEEN, MAX_UNSEEN_REPLY_BYTES } from '../../core/values/socket-limits.ts'
import type { LiveMessage } from '../../schema/request/live.ts'
import { toSyncRequest } from '../../schema/request/sync.ts'
import { serve, weightOfPush } from '../space/serve.ts'
import { push, type Synced } from '../write/sync.ts'
import type { Broadcast } from './broadcast.ts'
import type { Charge } from './charge.ts'
import { endIfOver, feedPositionOf, type Hub } from './hub.ts'
import { endSocket, send } from './socket.ts'

/** The socket of a message, and what serving the message needs. */
export interface MessageContext {
  readonly hub: Hub
  readonly broadcast: Broadcast
  readonly socket: WebSocket
}

/** A push and the text of its message. */
interface PushInput {
  readonly message: Extract<LiveMessage, { type: 'push' }>
  readonly text: string
}

/** Serves a batch like `POST /api/sync`, and sends the same reply in an ack. */
export async function servePush(
  context: MessageContext,
  { message, text, paid }: PushInput & { readonly paid: Result<Charge, Fault> },
): Promise<void> {
  const { hub, broadcast, socket } = context
  const listener = hub.listeners.of(socket)
  // Checked before the batch is stored, because nothing may fail after that: its ack must fit in the socket's attachment.
  if (unseenBytes(listener) > MAX_UNSEEN_REPLY_BYTES || listener.unseen.length >= MAX_UNSEEN)
    return endSocket(socket, 'stalled')
  const began = hub.clock()
  const requestId = hub.newId()
  const accept = () => acceptPush(context, { message, text })
  const accepting = paid.ok ? hub.space.tracer.push(requestId, accept) : Promise.resolve(paid)
  const result = await accepting
    .catch((thrown: unknown) => {
      logPush(hub, { requestId, began, result: refused({ code: 'internal' }) })
      throw thrown
    })
    .finally(() => hub.replying.delete(socket))
  logPush(hub, { requestId, began, result })
  if (!endIfOver(hub, socket, hub.listeners.of(socket).session))
    acknowledge(context, { id: message.id, requestId, result })
  broadcast.changed()
  if (result.ok) hub.observer.synced(listener.session, result.value)
  else hub.observer.refused(result.fault)
  broadcast.catchUp(hub.listeners.of(socket))
}

/** Logs a refused push and sends the refusal. */
export function refusePush(context: MessageContext, id: string, fault: Fault): void {
  const { hub } = context
  const [requestId, began] = [hub.newId(), hub.clock()]
  logPush(hub, { requestId, began, result: refused(fault) })
  acknowledge(context, { id, requestId, result: refused(fault) })
}

/** Applies the checks of an HTTP request in the same order, then pushes. */
async function acceptPush(
  { hub, socket }: MessageContext,
  { message, text }: PushInput,
): Promise<Result<Synced, Fault>> {
  const { session, filter } = hub.listeners.of(socket)
  const now = hub.clock()
  const { success } = await hub.env.SYNC_LIMIT.limit({ key: `${session.space}/${session.client}` })
  if (!success) return refused(PLACE_EXHAUSTED)
  const request = message.body.ok ? toSyncRequest(message.body.value) : message.body
  if (!request.ok) return request
  const { cursor } = request.value
  if (cursor !== undefined) hub.replying.add(socket)
  const at = typeof cursor === 'string' ? feedPositionOf(hub.space, cursor, filter) : null
  if (at !== null) hub.listeners.save(socket, confirmedAt(hub.listeners.of(socket), at))
  // The memory of a long message is already reserved.
  const weight = text.length > MAX_NOTE_LENGTH ? null : weightOfPush(text)
  return serve(hub.space, { session, weight, now }, () =>
    push(hub.space, session, { request: request.value, now }),
  )
}

/** Sends the reply to a push. A reply with a cursor moves the client's copy, so it must be confirmed like a frame. */
function acknowledge(
  { hub, socket }: MessageContext,
  {
    id,
    requestId,
    result,
  }: { readonly id: string; readonly requestId: string; readonly result: Result<Synced, Fault> },
): void {
  const { status, body } = result.ok
    ? { status: 200, body: result.value.text }
    : refusalOf(result.fault, requestId)
  const text = `{"type":"ack","id":${JSON.stringify(id)},"status":${status},"body":${body}}`
  const listener = hub.listeners.of(socket)
  const cursor = result.ok ? result.value.cursor : null
  const to = cursor === null ? null : feedPositionOf(hub.space, cursor, listener.filter)
  if (to !== null) {
    hub.listeners.save(socket, sentTo(listener, to, { bytes: utf8Length(text), at: hub.clock() }))
  }
  send(socket, text)
}

function refusalOf(fault: Fault, requestId: string): { readonly status: number; readonly body: string } {
  const problem = problemOf(fault)
  return { status: problem.status, body: JSON.stringify(problemDocument(problem, requestId)) }
}

/** Logs and counts a push like a request. */
function logPush(
  { env, clock }: Hub,
  {
    requestId,
    began,
    result,
  }: { readonly requestId: string; readonly began: number; readonly result: Result<Synced, Fault> },
): void {
  const ending = {
    method: 'PUSH',
    route: '/api/live',
    status: result.ok ? 200 : problemOf(result.fault).status,
    code: result.ok ? undefined : result.fault.code,
    ms: clock() - began,
    tally: result.ok ? result.value.tally : undefined,
  }
  console.log(requestLine(env, requestId, ending))
  keepPoint(env.ANALYTICS, requestPoint(env, ending))
}
