import * as z from 'zod/mini'
import type { Fault } from '../../core/fault.ts'
import type { Json } from '../../core/values/json.ts'
import { accepted, type Result } from '../../core/values/result.ts'
import { MAX_NOTE_LENGTH } from '../../core/values/socket-limits.ts'
import { AnyJson, ClientId, Opaque } from '../atoms.ts'
import { parseJson, parseShape } from '../parse.ts'
import type { FieldWords, Words } from '../words.ts'

export const MESSAGES = {
  /** The body of `POST /api/sync`, with an id that the reply repeats. */
  push: z.strictObject({ type: z.literal('push'), id: ClientId, body: AnyJson }),
  /** The cursor of the client's copy. */
  seen: z.strictObject({ type: z.literal('seen'), cursor: Opaque }),
  /** If the text equals `PING`, the runtime replies without waking the object. */
  ping: z.strictObject({ type: z.literal('ping') }),
} as const

export const PUSH_WORDS: FieldWords<typeof MESSAGES.push> = {
  id: 'An id that the client chooses. The `ack` repeats it.',
  body: 'The batch.',
}

export const SEEN_WORDS: Words<typeof MESSAGES.seen> = {
  description:
    'Reports the cursor of the copy. Send it after every frame, and after every `ack` that has a cursor. The server sends at most 32 frames ahead of it. If frames stay unconfirmed for half a minute, it closes the socket at the next change.',
  fields: { cursor: 'The cursor of the copy.' },
}

export const PING_WORDS: Words<typeof MESSAGES.ping> = {
  description: 'Checks whether the socket is alive. Wakes no object.',
  fields: {},
}

type Message = z.infer<(typeof MESSAGES)[keyof typeof MESSAGES]>

/** A message of a client. A malformed push has the fault in place of its body, because it gets a reply too. */
export type LiveMessage = Exclude<Message, { type: 'push' }> | Push

interface Push {
  readonly type: 'push'
  readonly id: string
  readonly body: Result<Json, Fault>
}

export const PING = '{"type":"ping"}'
export const PONG = '{"type":"pong"}'

const Kind = z.object({ type: z.enum(['push', 'seen', 'ping']) })

/** The fields that identify a push, whatever else the message contains. */
const PushId = z.object({ type: z.literal('push'), id: ClientId })

/** Parses a message of a client, but not the body of a push: a fault in the body refuses only that push. */
export function parseMessage(text: string): Result<LiveMessage, Fault> {
  const json = parseJson(text)
  const message = json.ok ? toMessage(json.value) : json
  if (message.ok) return accepted(toLive(message.value))
  const id = json.ok ? idOfJson(json.value) : idOfText(text)
  return id === null ? message : accepted({ type: 'push', id, body: message })
}

function toMessage(json: Json): Result<Message, Fault> {
  const kind = parseShape(Kind, json)
  return kind.ok ? parseShape<Message>(MESSAGES[kind.value.type], json) : kind
}

function toLive(message: Message): LiveMessage {
  return message.type === 'push' ? { ...message, body: accepted(message.body) } : message
}

function idOfJson(json: Json): string | null {
  const name = parseShape(PushId, json)
  return name.ok ? name.value.id : null
}

/** A `seen` without spaces, whose cursor has only the characters of cursors. */
const SEEN = /^\{"type":"seen","cursor":"([\w.-]{1,64})"\}$/

/** The cursor of a `seen` that needs no parser; null for any other text. */
export function cursorOfText(text: string): string | null {
  return SEEN.exec(text)?.[1] ?? null
}

/** The type and id of a push, if they are its first two fields. */
const PUSH_ID =
  /^\s*\{\s*(?:"type"\s*:\s*"push"\s*,\s*"id"\s*:\s*"([\w-]{1,64})"|"id"\s*:\s*"([\w-]{1,64})"\s*,\s*"type"\s*:\s*"push")/

/** The id of a push in a text that is not parsed, or is not JSON. Reads only the beginning. */
export function idOfText(text: string): string | null {
  const [, id, other] = PUSH_ID.exec(text.slice(0, MAX_NOTE_LENGTH)) ?? []
  return id ?? other ?? null
}
