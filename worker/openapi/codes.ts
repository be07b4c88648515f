import type { Rejection } from '../src/core/batch/verdict.ts'
import type { FaultCode } from '../src/core/fault.ts'
import type { SocketEnding } from '../src/core/socket-ending.ts'

/** The things that a client can do about a code. Only of `renumber` the codes differ in what to send. */
export const ACTIONS = {
  retry:
    'Send the same request again, unchanged, not before `Retry-After` if there is one, and wait longer each time. It may have taken effect: a batch keeps its number and its times, so that it takes effect once.',
  wait: 'Send the same request again after `Retry-After`, on a socket after `retryAfterSeconds`. Nothing of it took effect.',
  renumber:
    'The number of the batch does not fit. `expected` is the next one; the sentence of the code says which changes to send under it.',
  'sign-in':
    'Open a session with `POST /api/auth`, then send the same request again, unchanged. The queue stays. If that fails too, ask the user for a new token.',
  reread: 'Something changed in the meantime. Read where it stands, decide again, and send a new request.',
  split:
    'Send fewer changes under the same number, and the rest under the next ones. Where one change alone is too large, or the batch is atomic, show it to the user.',
  show: 'Neither time nor another session helps: the user or the operator has to do something. A refused batch stays in the queue under its number.',
  fix: 'The program that sent it is wrong, and the same request is always refused. Log the `detail`, and set the batch aside for somebody to look at; its number is not used up.',
} as const

export type Action = keyof typeof ACTIONS

/** An action, and a sentence about the code that it is for. */
export type Advice = readonly [action: Action, sentence: string]

/** Every refusal of a whole request, with what a client does about it: the one source of the document and its table. */
export const REFUSALS: { readonly [C in FaultCode]: Advice } = {
  'not-utf8': ['fix', 'The bytes of the body are not UTF-8.'],
  'not-json': ['fix', 'The body is not JSON.'],
  'lone-surrogate': ['fix', 'A text of the body was cut inside a character.'],
  'too-deep': ['fix', 'The body nests deeper than `limits.depth` of `GET /api/status`.'],
  'number-out-of-range': ['fix', 'A number of the body is past the range of a double.'],
  'invalid-request': [
    'fix',
    'A field or a parameter is missing, unknown or of another type; `detail` names the place.',
  ],
  'too-many-changes': ['split', 'A batch has at most `limit` changes.'],
  'body-too-large': ['split', 'A body has at most `limit` bytes.'],
  'body-timeout': ['retry', 'The body came too slowly. Send fewer changes if it happens again.'],
  'unsupported-media-type': [
    'fix',
    'Send the `Content-Type` that `Accept-Post` names, and no `Content-Encoding`.',
  ],
  unauthorized: [
    'sign-in',
    'The credential is missing, mistyped or unknown here. In reply to `POST /api/auth` it is the token, which may have been revoked: ask the user for another one.',
  ],
  'session-expired': ['sign-in', 'The session came to its end, as each does after an hour.'],
  revoked: [
    'sign-in',
    'The token was revoked, so no session of it holds and it opens none: ask the user for another token.',
  ],
  'session-ended': ['sign-in', 'The session was ended, by this client or another one that knows it.'],
  'space-erased': [
    'sign-in',
    'The space was erased after the token was made. Ask the user for a new token and start over: numbers begin at 1 again.',
  ],
  'ticket-spent': ['reread', 'Get another ticket from `POST /api/live/ticket`; each opens one socket.'],
  'forbidden-scope': [
    'show',
    'The token does not allow this at all: `scopes` of the reply of `POST /api/auth`.',
  ],
  'forbidden-collection': ['show', 'The token is for other collections: `collections` of the same reply.'],
  'foreign-client': [
    'fix',
    'Every installation has a `clientId` of its own: this one belongs to another subject, or is not the one of the session.',
  ],
  'forbidden-origin': ['show', 'The operator has to allow the origin of the page (corsOrigins).'],
  'not-found': ['reread', 'There is nothing of this name, or the token does not grant it.'],
  'method-not-allowed': ['fix', '`Allow` has the methods of this path.'],
  'upgrade-required': ['fix', 'The path is a WebSocket.'],
  'batch-gap': [
    'renumber',
    'A number was left out. Send the batch that has `expected`; if there is none, give that number to this one. Past 1 with `expected` 1, the space is a new one and numbers begin at 1 again.',
  ],
  'batch-too-old': [
    'renumber',
    'The number is lower than that of the last batch. If this installation sent the batch then, it took effect: drop it from the queue, pull, and give the next batch the number `expected`. If not, the store is a copy, or an older state of itself: take a new `clientId`, and send what waits under that.',
  ],
  'batch-mismatch': [
    'renumber',
    'Another batch came under this number, or the same one with other values, times or bases, and took effect. If the queue was edited, send what is new under `expected`. If it is unchanged, it took effect before the service changed its keys: drop it and pull. If this installation never sent the number, the store is a copy: take a new `clientId`, and send what waits under that.',
  ],
  'batch-forgotten': [
    'renumber',
    'The batch took effect long ago and its results are gone. Drop it from the queue, pull, and give the next batch the number `expected`.',
  ],
  'atomic-failed': [
    'reread',
    'Pull, make the changes again on what stands, and send them under the same number: nothing was stored, and the number is not used up.',
  ],
  'stale-base': ['reread', 'The entry has another version by now (`version`): show that, and decide on it.'],
  'already-resolved': ['reread', 'Somebody decided it otherwise. Write a value to the key to overrule that.'],
  'config-changed': ['reread', 'Somebody changed the configuration: read it, and change that.'],
  'not-empty': ['show', 'An import needs an empty space: erase it first, or take another one.'],
  'import-gap': ['renumber', 'Go on with the line `expected`.'],
  'invalid-line': ['fix', 'Mend the line `line` and send the file again: what came before is in.'],
  importing: ['wait', 'The space is being filled from an export.'],
  'rate-limited': ['wait', 'More requests than `policy` allows a minute.'],
  'quota-exceeded': [
    'show',
    'The space is full. The number is not used up: send deletions under it first, which are taken, and the batch under the next one once there is room.',
  ],
  busy: ['retry', 'The space is overloaded, restarting, or serves as much as it can.'],
  'provider-unavailable': ['wait', 'The keys of the identity provider cannot be had at present.'],
  misconfigured: ['retry', 'The service lacks a secret, until its operator mends that.'],
  internal: ['retry', 'The service failed. Its log has the request id of `instance`.'],
}

/** Every rejection of one change: it is final, so the change leaves the queue whatever else is done. */
export const REJECTIONS: { readonly [R in Rejection]: Advice } = {
  'invalid-key': ['fix', 'The key is empty, too long, begins with a slash or holds a control character.'],
  'invalid-timestamp': ['fix', 'The time is negative or past 2^53 - 1 milliseconds.'],
  'missing-value': ['fix', 'The change has neither a `value` nor `deleted: true`.'],
  'value-too-large': ['show', 'The value has more than `limits.valueBytes` bytes as JSON.'],
  'forbidden-key': ['show', 'The token is not for the collection of this key.'],
  'too-deep': ['show', 'The value nests deeper than `limits.depth`; `path` is the place.'],
  'lone-surrogate': ['fix', 'A text of the value was cut inside a character; `path` is the place.'],
  'number-out-of-range': ['fix', 'A number of the value is past the range of a double; `path` is the place.'],
}

/** Every way in which the server ends a socket. */
export const ENDINGS: { readonly [E in SocketEnding]: Advice } = {
  binary: ['fix', 'Messages are texts.'],
  'too-large': [
    'fix',
    'A message has at most `limits.messageBytes` bytes, and at most 4 KiB if it is no push.',
  ],
  defect: ['retry', 'Open another socket, from the cursor of the copy.'],
  importing: ['wait', 'Come again in ten seconds.'],
  stalled: ['retry', 'Say `seen` after every frame. Open another socket from the cursor of the copy.'],
  crowded: ['retry', 'Open another socket in a while, and poll until then.'],
  busy: ['wait', 'Open another socket in a while.'],
  expired: ['sign-in', 'Then open another socket from the cursor of the copy.'],
  spent: ['reread', 'Get another ticket; where that is a 401, open another session first.'],
  ended: ['sign-in', 'Then open another socket from the cursor of the copy.'],
  revoked: ['sign-in', 'The token holds no longer: ask the user for another one.'],
  erased: ['sign-in', 'Ask the user for a new token, and start over.'],
  flooding: ['wait', 'Come again in a minute, and send fewer messages.'],
  limited: ['wait', 'Come again in a minute, and open sockets less often.'],
}
