import * as z from 'zod/mini'
import type { Fault } from '../core/fault.ts'
import type { Json } from '../core/values/json.ts'
import { accepted, type Result } from '../core/values/result.ts'
import { MAX_NOTE_LENGTH } from '../core/values/socket-limits.ts'
import { AnyJson, ClientId, Opaque } from './name.ts'
import { parseJson, parseShape } from './parse.ts'

export const MESSAGES = {
  /** The body of `POST /api/sync`, under a name that its answer carries. */
  push: z.strictObject({ type: z.literal('push'), id: ClientId, body: AnyJson }),
  /** Where the client's copy stands. */
  seen: z.strictObject({ type: z.literal('seen'), cursor: Opaque }),
  /** Answered by the runtime, without waking the object, if it is written just like `PING`. */
  ping: z.strictObject({ type: z.literal('ping') }),
} as const

type Message = z.infer<(typeof MESSAGES)[keyof typeof MESSAGES]>

/** What a client says on a socket. A push that is no message has the reason in place of its body: it is answered too. */
export type LiveMessage = Exclude<Message, { type: 'push' }> | Push

interface Push {
  readonly type: 'push'
  readonly id: string
  readonly body: Result<Json, Fault>
}

export const PING = '{"type":"ping"}'
export const PONG = '{"type":"pong"}'

const Kind = z.object({ type: z.enum(['push', 'seen', 'ping']) })

/** What tells whose answer is awaited, whatever else the message holds. */
const PushName = z.object({ type: z.literal('push'), id: ClientId })

/** A message of a client. The body of a push is not looked into: what is wrong there is the push's own. */
export function parseMessage(text: string): Result<LiveMessage, Fault> {
  const json = parseJson(text)
  const message = json.ok ? toMessage(json.value) : json
  if (message.ok) return accepted(toLive(message.value))
  const id = json.ok ? idOf(json.value) : idIn(text)
  return id === null ? message : accepted({ type: 'push', id, body: message })
}

function toMessage(json: Json): Result<Message, Fault> {
  const kind = parseShape(Kind, json)
  return kind.ok ? parseShape<Message>(MESSAGES[kind.value.type], json) : kind
}

function toLive(message: Message): LiveMessage {
  return message.type === 'push' ? { ...message, body: accepted(message.body) } : message
}

function idOf(json: Json): string | null {
  const name = parseShape(PushName, json)
  return name.ok ? name.value.id : null
}

/** Where a push names itself, if it does so at its beginning. */
const PUSH_ID =
  /^\s*\{\s*(?:"type"\s*:\s*"push"\s*,\s*"id"\s*:\s*"([\w-]{1,64})"|"id"\s*:\s*"([\w-]{1,64})"\s*,\s*"type"\s*:\s*"push")/

/** The id of a push in a text that is not parsed, or is no JSON: only its beginning is read. */
export function idIn(text: string): string | null {
  const [, id, other] = PUSH_ID.exec(text.slice(0, MAX_NOTE_LENGTH)) ?? []
  return id ?? other ?? null
}
