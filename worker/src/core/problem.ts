import type { RateLimited } from './access/budget.ts'
import type { Fault, FaultCode } from './fault.ts'
import { BUDGET_WINDOW_SECONDS, MIN_BODY_BYTES } from './values/limits.ts'

/** A fault in words: the status that HTTP has for it, and what a client's developer needs to know. */
export interface Problem {
  readonly status: number
  /** A fault's, or the general one of the status. */
  readonly code: string
  readonly detail: string
  /** Numbers and results that a client can act on. */
  readonly members: Readonly<Record<string, unknown>>
}

type Words = readonly [status: number, detail: string, members?: Readonly<Record<string, unknown>>]

type Table = { readonly [Code in FaultCode]: (fault: Extract<Fault, { code: Code }>) => Words }

/** The one place where a fault gets its status and its words. */
const WORDS: Table = {
  'not-utf8': () => [400, 'The body is not valid UTF-8.'],
  'not-json': ({ detail }) => [400, `The body is not JSON: ${detail}.`],
  'lone-surrogate': ({ place }) => [
    400,
    `A string holds a lone surrogate escape (\\ud800 to \\udfff), which is no text${at(place)}.`,
  ],
  'too-deep': ({ limit, place }) => [
    400,
    `A value nests deeper than ${limit} arrays and objects${at(place)}.`,
  ],
  'number-out-of-range': ({ place }) => [400, `A number is past the range of an IEEE double${at(place)}.`],
  'invalid-request': ({ detail }) => [422, `${detail}.`],
  'too-many-changes': ({ found, limit }) => [
    413,
    `${found} changes; send at most ${limit} a request.`,
    { limit },
  ],
  'body-too-large': ({ limit }) => [
    413,
    `The body is larger than ${limit} bytes; send fewer changes a request.`,
    { limit },
  ],
  'body-timeout': ({ afterMs }) => [
    408,
    `The body came slower than ${MIN_BODY_BYTES / 1024} KiB in ${afterMs / 1000} s (at POST /api/auth: not within that). Send it again.`,
  ],
  'unsupported-media-type': ({ expected }) => [
    415,
    `Send the header Content-Type: ${expected}, and no Content-Encoding.`,
  ],
  unauthorized: ({ detail }) => [401, detail],
  'session-expired': () => [401, 'The session has expired; open a new one with POST /api/auth.'],
  revoked: () => [401, 'The token was revoked; ask for another one, and open a session with it.'],
  'session-ended': () => [401, 'The session was ended; open a new one with POST /api/auth.'],
  'space-erased': () => [
    401,
    'The space was erased after this token was made; ask for a new token, and start over: numbers of batches begin at 1 again.',
  ],
  'ticket-spent': () => [
    401,
    'The ticket was used before or has expired; get another one with POST /api/live/ticket.',
  ],
  'forbidden-scope': ({ needed }) => [403, `The token does not grant the scope ${needed}.`],
  'forbidden-collection': ({ collection }) => [
    403,
    collection === ALL
      ? 'The token is for some collections; this takes one for all.'
      : `The token does not grant the collection ${collection}.`,
  ],
  'foreign-client': ({ detail }) => [403, `The request is not this client's: ${detail}.`],
  'forbidden-origin': () => [403, 'The origin is not among those that the stack allows (corsOrigins).'],
  'not-found': ({ detail }) => [404, `Not found: ${detail}.`],
  'method-not-allowed': ({ allow }) => [405, `Use ${allow.join(', ')}.`],
  'upgrade-required': () => [426, 'This is a WebSocket: GET with Upgrade: websocket.'],
  'batch-gap': ({ found, expected, epoch }) =>
    epoch === undefined
      ? [
          409,
          `Batch ${found} came, but ${expected} is the next one; send what lies between first.`,
          { expected },
        ]
      : [
          409,
          `Batch ${found} came, but the space knows no batch of this client: it is a new space to it, or was erased or restored. Pull with the cursor that you have, start over if the reply says reset, and number what waits from ${expected}.`,
          { expected, reset: true, epoch },
        ],
  'batch-too-old': ({ found, last }) => [
    409,
    `A batch ${found} was taken before; the last one is ${last}.`,
    { expected: last + 1 },
  ],
  'batch-mismatch': ({ batch }) => [
    409,
    `Batch ${batch} came before with other changes; new changes need a new number.`,
    { expected: batch + 1 },
  ],
  'batch-forgotten': ({ batch }) => [
    409,
    `Batch ${batch} took effect long ago, and its results are no longer kept. Do not send it again: pull, and go on with batch ${batch + 1}.`,
    { expected: batch + 1 },
  ],
  'atomic-failed': ({ results }) => [
    409,
    'The batch is atomic and not every change could be applied; nothing was stored.',
    { results },
  ],
  'stale-base': ({ version }) => [
    409,
    'Something else stands by now; look at it, and decide on that.',
    { version },
  ],
  'already-resolved': ({ id }) => [
    409,
    `Conflict ${id} is settled; to bring another value back, write it to its key.`,
    { id },
  ],
  'config-changed': ({ revision }) => [
    409,
    `The configuration is at revision ${revision} by now; look at it, and change that.`,
    { revision },
  ],
  'not-empty': () => [409, 'The space is not empty; erase it first with DELETE /api/space.'],
  'import-gap': ({ expected }) => [409, `Line ${expected} of the export is the next one.`, { expected }],
  'invalid-line': ({ line, detail }) => [
    422,
    `Line ${line}: ${detail}. What came before it is in.`,
    { line },
  ],
  importing: ({ retryAfterSeconds }) => [
    503,
    'The space is being filled from an export; wait and try again.',
    { retryAfterSeconds },
  ],
  'rate-limited': ({ policy, limit, retryAfterSeconds }) => [
    429,
    `${tooMany(policy, limit)}; wait ${retryAfterSeconds} s and try again.`,
    { policy, retryAfterSeconds, ...(limit !== null && { limit, windowSeconds: BUDGET_WINDOW_SECONDS }) },
  ],
  'quota-exceeded': ({ quota, limit, used }) => [
    507,
    `The space may hold ${limit} ${quota}, and has no room for this; what takes away is still taken.`,
    { quota, limit, used },
  ],
  busy: ({ limit, absent, retryAfterSeconds }) => [
    503,
    absent === true
      ? 'The space is overloaded, restarting or moving. Wait and send the request again: it may have taken effect.'
      : limit === undefined
        ? 'The space is busy with other requests; wait and try again.'
        : `The space serves ${limit} sockets already; wait and try again.`,
    { retryAfterSeconds, ...(limit !== undefined && { limit }) },
  ],
  'provider-unavailable': ({ retryAfterSeconds }) => [
    503,
    'The keys of the identity provider cannot be had at present; wait and try again.',
    { retryAfterSeconds },
  ],
  misconfigured: () => [
    503,
    'The service lacks a secret that is fit to use, and refuses to serve; its log names it for the operator.',
  ],
  internal: () => [500, 'The service failed; the request id finds the reason in its logs.'],
}

/** What deals with a whole space names this in the place of a collection. */
const ALL = '*'

/** An object of the last release names no place. */
function at(place = ''): string {
  return place === '' ? '' : ` at ${place}`
}

function tooMany(policy: RateLimited['policy'], limit: number | null): string {
  const those = limit === null ? 'Too many requests' : `More than ${limit} requests a minute`
  return `${those} ${policy === 'place' ? 'at this place' : `of one ${policy}`}`
}

/** Whether this version knows a fault: an object of the next release may refuse for a reason of its own. */
export function isKnown({ code }: Fault): boolean {
  return Object.hasOwn(WORDS, code)
}

/** A fault in words. */
export function problemOf(fault: Fault): Problem {
  const code = shownAs(fault)
  // TypeScript cannot see that the words found under a fault's code are for that very fault.
  const words = WORDS[code] as (fault: Fault) => Words
  const [status, detail, members = {}] = words(fault)
  return { status, code, detail, members }
}

/** The code under which clients are told of a fault. */
function shownAs(fault: Fault): FaultCode {
  if (fault.code !== 'revoked' || fault.of === undefined) return fault.code
  return fault.of === 'session' ? 'session-ended' : 'space-erased'
}

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  409: 'Conflict',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  422: 'Unprocessable Content',
  426: 'Upgrade Required',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
  507: 'Insufficient Storage',
}

/** The code of a refusal that is none of the faults: its status in words, as in `forbidden`. */
export function codeOf(status: number): string {
  return (TITLES[status] ?? 'Error').toLowerCase().replaceAll(' ', '-')
}

/**
 * A problem document (RFC 9457) with the fields that a client of the founding API reads: `success`, `conflicts`
 * and `synced`. Copies named fields only; no member takes the place of one that the RFC names.
 */
export function problemDocument({ status, code, detail, members }: Problem, requestId: string): object {
  const standard = {
    type: `urn:chronicle-sync:problem:${code}`,
    title: TITLES[status] ?? 'Error',
    status,
    code,
    detail,
    instance: `urn:chronicle-sync:request:${requestId}`,
    success: false,
  }
  return { ...standard, conflicts: [], synced: [], ...members, ...standard }
}
