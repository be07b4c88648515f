import * as z from 'zod/mini'
import type { Result } from '../core/result.ts'
import { AnyJson, ClientId, Opaque } from './name.ts'
import { parseJson, parseShape } from './parse.ts'

const MESSAGES = {
  /** The body of `POST /api/sync`, under a name that its answer carries. */
  push: z.strictObject({ type: z.literal('push'), id: ClientId, body: AnyJson }),
  /** Where the client's copy stands. */
  seen: z.strictObject({ type: z.literal('seen'), cursor: Opaque }),
  /** Answered by the runtime, without waking the object, if it is written just like `PING`. */
  ping: z.strictObject({ type: z.literal('ping') }),
} as const

/** What a client says on a socket. */
export type LiveMessage = z.infer<(typeof MESSAGES)[keyof typeof MESSAGES]>

export const PING = '{"type":"ping"}'
export const PONG = '{"type":"pong"}'

const Kind = z.object({ type: z.enum(['push', 'seen', 'ping']) })

/** A message of a client. The body of a push is not looked into: what is wrong there is the push's own. */
export function parseMessage(text: string): Result<LiveMessage> {
  const json = parseJson(text)
  if (!json.ok) return json
  const kind = parseShape(Kind, json.value)
  if (!kind.ok) return kind
  return parseShape<LiveMessage>(MESSAGES[kind.value.type], json.value)
}
