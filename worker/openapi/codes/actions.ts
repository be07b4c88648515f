import type { Rejection } from '../../src/core/batch/verdict.ts'
import type { SocketEnding } from '../../src/core/socket-ending.ts'

/** The actions that a client can take. Only the codes of `renumber` differ in what to send. */
export const ACTIONS = {
  retry:
    'Send the same request again, unchanged, after `Retry-After` if present, and wait longer each time. The request may have taken effect. A batch keeps its number and its times, so it takes effect only once.',
  wait: 'Send the same request again after `Retry-After`, or on a socket after `retryAfterSeconds`. Nothing took effect.',
  renumber:
    'The batch number does not fit. `expected` is the next number. The description of the code says which changes to send under it.',
  'sign-in':
    'Open a session with `POST /api/auth`, then send the same request again, unchanged. Keep the queue. If opening a session fails too, ask the user for a new token.',
  reread:
    'Something has changed in the meantime. Read the current state, decide again, and send a new request.',
  split:
    'Send fewer changes under the same number, and the rest under the next numbers. If a single change is too large, or the batch is atomic, show it to the user.',
  show: 'Retrying does not help, nor does another session: the user or the operator must act. A refused batch stays in the queue under its number.',
  fix: 'The client has a bug: the same request is always refused. Log `detail` and set the batch aside for inspection. Its number is not used up.',
} as const

export type Action = keyof typeof ACTIONS

/** An action, and a sentence that describes the code. */
export type Advice = readonly [action: Action, sentence: string]

/** Every rejection of one change. A rejection is final: the change leaves the queue, whatever the action. */
export const REJECTIONS: { readonly [R in Rejection]: Advice } = {
  'invalid-key': ['fix', 'The key is empty, too long, begins with a slash or contains a control character.'],
  'invalid-timestamp': ['fix', 'The time is negative or greater than 2^53 - 1 milliseconds.'],
  'missing-value': ['fix', 'The change has neither a `value` nor `deleted: true`.'],
  'value-too-large': ['show', 'The value is larger than `limits.valueBytes` bytes of JSON.'],
  'forbidden-key': ['show', 'The token does not grant the collection of this key.'],
  'too-deep': ['show', 'The value is nested deeper than `limits.depth`, at `path`.'],
  'lone-surrogate': ['fix', 'A string of the value contains half a surrogate pair, at `path`.'],
  'number-out-of-range': ['fix', 'A number of the value is outside the range of a double, at `path`.'],
}

/** Every reason for which the server closes a socket. */
export const ENDINGS: { readonly [E in SocketEnding]: Advice } = {
  binary: ['fix', 'Send text messages only.'],
  'too-large': ['fix', 'A push has at most `limits.messageBytes` bytes, any other message at most 4 KiB.'],
  defect: ['retry', 'Open another socket from the cursor of the copy.'],
  importing: ['wait', 'Reconnect after ten seconds.'],
  stalled: ['retry', 'Send `seen` after every frame. Open another socket from the cursor of the copy.'],
  crowded: ['retry', 'Open another socket later, and poll until then.'],
  busy: ['wait', 'Open another socket later.'],
  expired: ['sign-in', 'Then open another socket from the cursor of the copy.'],
  spent: ['reread', 'Get another ticket. If that is refused with 401, open another session first.'],
  ended: ['sign-in', 'Then open another socket from the cursor of the copy.'],
  revoked: ['sign-in', 'The token was revoked: ask the user for a new one.'],
  erased: ['sign-in', 'Ask the user for a new token, and start over.'],
  flooding: ['wait', 'Reconnect after a minute, and send fewer messages.'],
  limited: ['wait', 'Reconnect after a minute, and open sockets less often.'],
}
