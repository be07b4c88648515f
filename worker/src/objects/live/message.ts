import { PLACE_EXHAUSTED } from '../../core/access/budget.ts'
import type { Fault } from '../../core/fault.ts'
import { confirmedAt, isReachable, sentTo, unseenBytes } from '../../core/feed/listener.ts'
import { batchPoint, keepPoint, requestLine, requestPoint } from '../../core/log-line.ts'
import { problemDocument, problemOf } from '../../core/problem.ts'
import { fitsBytes, utf8Length } from '../../core/values/json.ts'
import { MAX_MESSAGE_BYTES } from '../../core/values/limits.ts'
import { accepted, type Result, refused } from '../../core/values/result.ts'
import { MAX_NOTE_LENGTH, MAX_UNSEEN, MAX_UNSEEN_REPLY_BYTES } from '../../core/values/socket-limits.ts'
import { idIn, type LiveMessage, PONG, parseMessage } from '../../schema/live.ts'
import { toSyncRequest } from '../../schema/sync.ts'
import { serve, weightOfPush } from '../space/serve.ts'
import { push, type Synced } from '../write/sync.ts'
import type { Broadcast } from './broadcast.ts'
import { feedPositionOf, type Hub, isOver } from './hub.ts'
import { end, isOpen, listenerOf, remember, say } from './socket.ts'
import { charge, payInFull, spendReply, type Toll } from './toll.ts'

type Push = Extract<LiveMessage, { type: 'push' }>

/** A message on its way, and all that serving it takes. */
export interface Incoming {
  readonly hub: Hub
  readonly broadcast: Broadcast
  readonly socket: WebSocket
}

/** Does what a client says on its socket, and answers on it. */
export async function receive(incoming: Incoming, message: string | ArrayBuffer): Promise<void> {
  const { hub, socket } = incoming
  const listener = listenerOf(socket)
  if (!isOpen(socket) || isOver(hub, socket, listener.session)) return
  if (typeof message !== 'string') return end(socket, 'binary')
  if (!fitsBytes(message, MAX_MESSAGE_BYTES)) return end(socket, 'too-large')
  const toll = await charge(hub, socket, message.length)
  if (toll === null) return
  if (message.length <= MAX_NOTE_LENGTH) return dealWith(incoming, message, toll)
  // A long one is parsed only if it was paid for, and when there is room for what comes of it.
  const served = toll.ok
    ? await hub.space.inFlight.serve(weightOfPush(message), async () =>
        accepted(await dealWith(incoming, message, toll)),
      )
    : toll
  if (!served.ok) refuseLong(incoming, message, served.fault)
}

/** Refuses a long message of which nothing but its beginning is read. */
function refuseLong(incoming: Incoming, message: string, fault: Fault): void {
  const { hub } = incoming
  const id = idIn(message)
  if (id === null) {
    sayError(incoming, fault)
    return
  }
  const [requestId, began] = [hub.newId(), hub.clock()]
  note(hub, { requestId, began, result: refused(fault) })
  acknowledge(incoming, { id, requestId, result: refused(fault) })
}

async function dealWith(incoming: Incoming, message: string, toll: Result<Toll, Fault>): Promise<void> {
  const { hub, socket } = incoming
  const parsed = parseMessage(message)
  const kind = parsed.ok ? parsed.value.type : 'unknown'
  if (kind !== 'push' && message.length > MAX_NOTE_LENGTH) return end(socket, 'too-large')
  const paid = kind === 'seen' ? toll : await payInFull(hub, socket, toll)
  if (paid === null) return
  if (parsed.ok && parsed.value.type === 'push')
    return answer(incoming, { message: parsed.value, text: message, paid })
  if (!paid.ok) return sayError(incoming, paid.fault)
  if (!parsed.ok) return sayError(incoming, parsed.fault)
  if (parsed.value.type === 'seen') return moveTo(incoming, parsed.value.cursor, paid.value)
  say(socket, PONG)
}

function sayError({ hub, socket }: Incoming, fault: Fault): void {
  const body = problemDocument(problemOf(fault), hub.newId())
  say(socket, JSON.stringify({ type: 'error', body }))
}

/**
 * Follows on from where the client's copy stands. Where it was not led to, the feed is read for it again, which counts
 * like a pull.
 */
async function moveTo(incoming: Incoming, cursor: string, toll: Toll): Promise<void> {
  const { hub, broadcast, socket } = incoming
  const at = feedPositionOf(hub.space, cursor, listenerOf(socket).filter)
  if (toll === 'free') spendReply(socket)
  const listener = listenerOf(socket)
  // Whoever was told to pull has paid for the pull.
  const isLed = at !== null && (isReachable(listener, at) || listener.poked)
  const paid = isLed ? accepted(toll) : await payInFull(hub, socket, accepted(toll))
  if (paid === null) return
  if (!paid.ok) return sayError(incoming, paid.fault)
  if (at === null) {
    const detail = "cursor: cannot be continued here; pull, with this socket's collections"
    return sayError(incoming, { code: 'invalid-request', detail })
  }
  const moved = confirmedAt(listenerOf(socket), at)
  remember(socket, moved)
  broadcast.catchUp(moved)
}

/** A push, the text of its message, and whether it was paid for. */
interface Pushed {
  readonly message: Push
  readonly text: string
  readonly paid: Result<Toll, Fault>
}

/** Takes a batch like `POST /api/sync`, and answers with what that would. */
async function answer(incoming: Incoming, { message, text, paid }: Pushed): Promise<void> {
  const { hub, broadcast, socket } = incoming
  const listener = listenerOf(socket)
  // Before it is taken: nothing may fail once it is stored, and the next ack may be one too many to remember.
  if (unseenBytes(listener) > MAX_UNSEEN_REPLY_BYTES || listener.unseen.length >= MAX_UNSEEN)
    return end(socket, 'stalled')
  const began = hub.clock()
  const requestId = hub.newId()
  const taking = paid.ok ? take(incoming, { message, text }) : Promise.resolve(paid)
  const result = await taking
    .catch((thrown: unknown) => {
      note(hub, { requestId, began, result: refused({ code: 'internal' }) })
      throw thrown
    })
    .finally(() => hub.answering.delete(socket))
  note(hub, { requestId, began, result })
  if (!isOver(hub, socket, listenerOf(socket).session))
    acknowledge(incoming, { id: message.id, requestId, result })
  broadcast.changed()
  broadcast.catchUp(listenerOf(socket))
}

/** By the rules of HTTP, one after the other. */
async function take(
  { hub, socket }: Incoming,
  { message, text }: Omit<Pushed, 'paid'>,
): Promise<Result<Synced, Fault>> {
  const { session, filter } = listenerOf(socket)
  const now = hub.clock()
  const { success } = await hub.env.SYNC_LIMIT.limit({ key: `${session.space}/${session.client}` })
  if (!success) return refused(PLACE_EXHAUSTED)
  const request = message.body.ok ? toSyncRequest(message.body.value) : message.body
  if (!request.ok) return request
  const { cursor } = request.value
  if (cursor !== undefined) hub.answering.add(socket)
  const at = typeof cursor === 'string' ? feedPositionOf(hub.space, cursor, filter) : null
  if (at !== null) remember(socket, confirmedAt(listenerOf(socket), at))
  // A long message has its share already.
  const weight = text.length > MAX_NOTE_LENGTH ? null : weightOfPush(text)
  return serve(hub.space, { session, weight, now }, () =>
    push(hub.space, session, { request: request.value, now }),
  )
}

interface Answered {
  readonly id: string
  readonly requestId: string
  readonly result: Result<Synced, Fault>
}

/** A reply with a cursor moves the client's copy on, and is to be confirmed like a frame. */
function acknowledge({ hub, socket }: Incoming, { id, requestId, result }: Answered): void {
  const { status, body } = result.ok
    ? { status: 200, body: result.value.text }
    : refusalOf(result.fault, requestId)
  const text = `{"type":"ack","id":${JSON.stringify(id)},"status":${status},"body":${body}}`
  const listener = listenerOf(socket)
  const cursor = result.ok ? result.value.cursor : null
  const to = cursor === null ? null : feedPositionOf(hub.space, cursor, listener.filter)
  if (to !== null) {
    remember(socket, sentTo(listener, to, { bytes: utf8Length(text), at: hub.clock() }))
  }
  say(socket, text)
}

function refusalOf(fault: Fault, requestId: string): { readonly status: number; readonly body: string } {
  const problem = problemOf(fault)
  return { status: problem.status, body: JSON.stringify(problemDocument(problem, requestId)) }
}

interface Noted {
  readonly requestId: string
  readonly began: number
  readonly result: Result<Synced, Fault>
}

/** A push is logged and counted like a request. */
function note({ env, clock }: Hub, { requestId, began, result }: Noted): void {
  const ending = {
    method: 'PUSH',
    route: '/api/live',
    status: result.ok ? 200 : problemOf(result.fault).status,
    code: result.ok ? undefined : result.fault.code,
    ms: clock() - began,
  }
  console.log(requestLine(env, requestId, ending))
  keepPoint(env.ANALYTICS, requestPoint(env, ending))
  if (result.ok) keepPoint(env.ANALYTICS, batchPoint(env, result.value.tally))
}
