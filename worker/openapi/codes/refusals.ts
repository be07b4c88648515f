import type { Fault, FaultCode } from '../../src/core/fault.ts'
import { problemOf } from '../../src/core/problem.ts'
import { IMPORT_RETRY_SECONDS } from '../../src/core/values/limits.ts'
import type { Action } from './actions.ts'

/** The action of a code, its description, and the fields of an example. */
type Refusal<C extends FaultCode> = readonly [
  action: Action,
  sentence: string,
  example: Omit<Extract<Fault, { code: C }>, 'code'>,
]

/**
 * Every refusal of a whole request, in the order of the document. Status, headers and text of the examples are those
 * that the edge makes of the fault.
 */
export const REFUSALS: { readonly [C in FaultCode]: Refusal<C> } = {
  'not-utf8': ['fix', 'The body is not UTF-8.', {}],
  'not-json': ['fix', 'The body is not JSON.', { detail: 'Unexpected end of JSON input' }],
  'lone-surrogate': [
    'fix',
    'A string of the body contains half a surrogate pair.',
    { place: '/value/title' },
  ],
  'too-deep': [
    'fix',
    'The body is nested deeper than `limits.depth` of `GET /api/status`.',
    { limit: 128, place: '/value' },
  ],
  'number-out-of-range': [
    'fix',
    'A number of the body is outside the range of a double.',
    { place: '/value/0' },
  ],
  'invalid-request': [
    'fix',
    'A field or parameter is missing, unknown or of the wrong type. `detail` names it.',
    { detail: 'changes[0].key: is missing' },
  ],
  'too-many-changes': ['split', 'A batch has at most `limit` changes.', { limit: 500, found: 501 }],
  'body-too-large': ['split', 'A body has at most `limit` bytes.', { limit: 1_048_576 }],
  'body-timeout': [
    'retry',
    'The body arrived too slowly. Send fewer changes if it happens again.',
    { afterMs: 10_000 },
  ],
  'unsupported-media-type': [
    'fix',
    'Send the `Content-Type` that `Accept-Post` names, and no `Content-Encoding`.',
    { expected: 'application/json' },
  ],
  unauthorized: [
    'sign-in',
    'The credential is missing, mistyped or unknown here. In the reply of `POST /api/auth` the credential is the token, which may have been revoked: ask the user for a new one.',
    { detail: 'The session is not valid here; open a new one with POST /api/auth.' },
  ],
  'session-expired': ['sign-in', 'The session has expired. A session lasts at most an hour.', {}],
  revoked: [
    'sign-in',
    'The token was revoked. Its sessions have ended and it opens no more: ask the user for a new token.',
    {},
  ],
  'session-ended': ['sign-in', 'The session was ended, by this client or another one that knows it.', {}],
  'space-erased': [
    'sign-in',
    'The space was erased after the token was issued. Ask the user for a new token and start over: batch numbers begin at 1 again.',
    {},
  ],
  'ticket-spent': ['reread', 'A ticket opens one socket. Get another with `POST /api/live/ticket`.', {}],
  'forbidden-scope': [
    'show',
    'The token lacks a scope. `scopes` of the reply of `POST /api/auth` lists what it grants.',
    { needed: 'sync:write' },
  ],
  'forbidden-collection': [
    'show',
    'The token lacks a collection. `collections` of the reply of `POST /api/auth` lists what it grants.',
    { collection: 'notes' },
  ],
  'foreign-client': [
    'fix',
    'Every installation needs a `clientId` of its own. This one belongs to another subject, or is not the one of the session.',
    { detail: 'clientId is not the one this session was opened for' },
  ],
  'forbidden-origin': ['show', 'The operator must allow the origin of the page (corsOrigins).', {}],
  'not-found': [
    'reread',
    'Nothing has this name, or the token does not grant it.',
    { detail: 'there is no entry of this key' },
  ],
  'method-not-allowed': [
    'fix',
    '`Allow` lists the methods of this path.',
    { allow: ['GET', 'HEAD', 'OPTIONS'] },
  ],
  'upgrade-required': ['fix', 'The endpoint is a WebSocket.', {}],
  'batch-gap': [
    'renumber',
    'A number was skipped. Send the batch that has the number `expected`. If no batch has it, give that number to this one. If `expected` is 1 and this client has sent batches before, the space is a new one and numbers begin at 1 again.',
    { expected: 7, found: 9 },
  ],
  'batch-too-old': [
    'renumber',
    'The number is lower than that of the last batch. If this installation sent the batch, it took effect: drop it from the queue, pull, and give the next batch the number `expected`. If not, the store is a copy, or an older state of itself: take a new `clientId` and send the queue under it.',
    { last: 7, found: 6 },
  ],
  'batch-mismatch': [
    'renumber',
    'A batch with this number but other values, times or bases took effect. If the queue was edited, send the new changes under `expected`. If it is unchanged, the batch took effect before the service changed its keys: drop it and pull. If this installation never sent the number, the store is a copy: take a new `clientId` and send the queue under it.',
    { batch: 7 },
  ],
  'batch-forgotten': [
    'renumber',
    'The batch took effect long ago and its results are no longer kept. Drop it from the queue, pull, and give the next batch the number `expected`.',
    { batch: 7 },
  ],
  'atomic-failed': [
    'reread',
    'Pull, make the changes again on the current versions, and send them under the same number. Nothing was stored, and the number is not used up.',
    { results: [{ key: 'notes/2', status: 'superseded', version: 'k3x9q2.1039' }] },
  ],
  'stale-base': [
    'reread',
    'The entry has changed: its current version is `version`. Show it, and decide again.',
    { version: 'k3x9q2.1044' },
  ],
  'already-resolved': [
    'reread',
    'Someone resolved the conflict differently. Write a value to the key to overrule that.',
    { id: 1042 },
  ],
  'config-changed': [
    'reread',
    'Someone changed the configuration. Read it and apply the change to it.',
    { revision: 1_795_347_000_200 },
  ],
  'not-empty': ['show', 'An import needs an empty space. Erase the space first, or use another one.', {}],
  'import-gap': ['renumber', 'Continue with the line `expected`.', { expected: 501 }],
  'invalid-line': [
    'fix',
    'Fix the line `line` and send the file again. All lines before it were imported.',
    { line: 7, detail: 'key: is missing' },
  ],
  importing: [
    'wait',
    'An import into the space is in progress.',
    { retryAfterSeconds: IMPORT_RETRY_SECONDS },
  ],
  'rate-limited': [
    'wait',
    'The requests exceed the rate limit that `policy` names.',
    { policy: 'client', limit: 600, retryAfterSeconds: 1 },
  ],
  'quota-exceeded': [
    'show',
    'The space is full. The number is not used up: send deletions under it first, which are still accepted, and the batch under the next number once there is room.',
    { quota: 'entries', limit: 1_000_000, used: 999_999 },
  ],
  busy: ['retry', 'The space is overloaded, restarting, or at a limit.', { retryAfterSeconds: 1 }],
  'provider-unavailable': [
    'wait',
    'The keys of the identity provider are unavailable.',
    { retryAfterSeconds: 30 },
  ],
  misconfigured: ['retry', 'The service lacks a secret until its operator fixes that.', {}],
  internal: ['retry', 'The service failed. Its log has the request id of `instance`.', {}],
}

/** Every code that an operation can reply with, in the order of the document. */
export const FAULT_CODES = (Object.keys(REFUSALS) as FaultCode[]).filter(
  (code) => code !== 'method-not-allowed',
)

/** The fault of the example of a code. */
export function exampleOf(code: FaultCode): Fault {
  // The example under a code has the fields of that very fault.
  return { code, ...REFUSALS[code][2] } as Fault
}

export function statusOf(code: FaultCode): number {
  return problemOf(exampleOf(code)).status
}
