import type { RateLimited } from './access/budget.ts'
import type { Fault, FaultCode } from './fault.ts'
import { BUDGET_WINDOW_SECONDS } from './values/access-limits.ts'
import { MIN_BODY_BYTES } from './values/limits.ts'

/** A fault as a client sees it: its HTTP status, and an explanation for the client's developer. */
export interface Problem {
  readonly status: number
  /** The code of the fault, or the generic code of the status. */
  readonly code: string
  readonly detail: string
  /** Numbers and results for the client to act on. */
  readonly members: Readonly<Record<string, unknown>>
}

type Words = readonly [status: number, detail: string, members?: Readonly<Record<string, unknown>>]

type Table = { readonly [Code in FaultCode]: (fault: Extract<Fault, { code: Code }>) => Words }

/** Gives each fault its status and its text. No other file does. */
const WORDS: Table = {
  'not-utf8': () => [400, 'The body is not valid UTF-8.'],
  'not-json': ({ detail }) => [400, `The body is not JSON: ${detail}.`],
  'lone-surrogate': ({ place }) => [
    400,
    `A string${at(place)} contains a lone surrogate escape (\\ud800 to \\udfff), which is not valid text.`,
  ],
  'too-deep': ({ limit, place }) => [
    400,
    `A value${at(place)} is nested deeper than ${limit} arrays and objects.`,
  ],
  'number-out-of-range': ({ place }) => [
    400,
    `A number${at(place)} is outside the range of an IEEE 754 double.`,
  ],
  'invalid-request': ({ detail }) => [422, `${detail}.`],
  'too-many-changes': ({ found, limit }) => [
    413,
    `Too many changes: ${found}. Send at most ${limit} per request.`,
    { limit },
  ],
  'body-too-large': ({ limit }) => [
    413,
    `The body is larger than ${limit} bytes. Send fewer changes per request.`,
    { limit },
  ],
  'body-timeout': ({ afterMs }) => [
    408,
    `The body arrived too slowly: the minimum is ${MIN_BODY_BYTES / 1024} KiB per ${afterMs / 1000} s (POST /api/auth: all of it). Send it again.`,
  ],
  'unsupported-media-type': ({ expected }) => [
    415,
    `Send Content-Type: ${expected} and no Content-Encoding.`,
  ],
  unauthorized: ({ detail }) => [401, detail],
  'session-expired': () => [401, 'The session has expired. Open a new one with POST /api/auth.'],
  revoked: () => [401, 'The token was revoked. Get a new token and open a session with it.'],
  'session-ended': () => [401, 'The session was ended. Open a new one with POST /api/auth.'],
  'space-erased': () => [
    401,
    'The space was erased after this token was issued. Get a new token and start over: batch numbers begin at 1 again.',
  ],
  'ticket-spent': () => [
    401,
    'The ticket was already used or has expired. Get another one with POST /api/live/ticket.',
  ],
  'forbidden-scope': ({ needed }) => [403, `The token does not grant the scope ${needed}.`],
  'forbidden-collection': ({ collection }) => [
    403,
    collection === ALL
      ? 'This needs a token for all collections.'
      : `The token does not grant the collection ${collection}.`,
  ],
  'foreign-client': ({ detail }) => [403, `Wrong client: ${detail}.`],
  'forbidden-origin': () => [403, 'The origin is not in the list that the stack allows (corsOrigins).'],
  'not-found': ({ detail }) => [404, `Not found: ${detail}.`],
  'method-not-allowed': ({ allow }) => [405, `Use ${allow.join(', ')}.`],
  'upgrade-required': () => [426, 'This endpoint is a WebSocket: send GET with Upgrade: websocket.'],
  'batch-gap': ({ found, expected, epoch }) =>
    epoch === undefined
      ? [409, `Expected batch ${expected}, got ${found}. Send the batches in between first.`, { expected }]
      : [
          409,
          `Got batch ${found}, but the space has no batch of this client: the space is new, or was erased or restored. Pull with your cursor, start over if the reply says reset, and number the queue from ${expected}.`,
          { expected, reset: true, epoch },
        ],
  'batch-too-old': ({ found, last }) => [
    409,
    `Batch ${found} is too old: the last accepted batch is ${last}.`,
    { expected: last + 1 },
  ],
  'batch-mismatch': ({ batch }) => [
    409,
    `Batch ${batch} was already accepted with other changes. Send new changes under a new number.`,
    { expected: batch + 1 },
  ],
  'batch-forgotten': ({ batch }) => [
    409,
    `Batch ${batch} took effect long ago, and its results are no longer kept. Do not send it again: pull, and continue with batch ${batch + 1}.`,
    { expected: batch + 1 },
  ],
  'atomic-failed': ({ results }) => [
    409,
    'The batch is atomic, and not every change could be applied. Nothing was stored.',
    { results },
  ],
  'stale-base': ({ version }) => [
    409,
    'The entry has changed since `base`. Read the current version and resolve against it.',
    { version },
  ],
  'already-resolved': ({ id }) => [
    409,
    `Conflict ${id} is already resolved. To bring another value back, write it to the key.`,
    { id },
  ],
  'config-changed': ({ revision }) => [
    409,
    `The configuration has changed to revision ${revision}. Read it and apply your change to it.`,
    { revision },
  ],
  'not-empty': () => [409, 'The space is not empty. Erase it first with DELETE /api/space.'],
  'import-gap': ({ expected }) => [
    409,
    `Expected line ${expected} of the export. Continue from there.`,
    { expected },
  ],
  'invalid-line': ({ line, detail }) => [
    422,
    `Line ${line}: ${detail}. All lines before it were imported.`,
    { line },
  ],
  importing: ({ retryAfterSeconds }) => [
    503,
    'An import into the space is in progress. Wait and retry.',
    { retryAfterSeconds },
  ],
  'rate-limited': ({ policy, limit, retryAfterSeconds }) => [
    429,
    `${exceeded(policy, limit)}. Retry after ${retryAfterSeconds} s.`,
    { policy, retryAfterSeconds, ...(limit !== null && { limit, windowSeconds: BUDGET_WINDOW_SECONDS }) },
  ],
  'quota-exceeded': ({ quota, limit, used }) => [
    507,
    `Quota exceeded: this space is limited to ${limit} ${quota}. Deletions are still accepted.`,
    { quota, limit, used },
  ],
  busy: ({ limit, absent, retryAfterSeconds }) => [
    503,
    absent === true
      ? 'The space is overloaded, restarting or moving. Wait and send the same request again: it may have taken effect.'
      : limit === undefined
        ? 'The space is busy with other requests. Wait and retry.'
        : `The space has reached its limit of ${limit} sockets. Wait and retry.`,
    { retryAfterSeconds, ...(limit !== undefined && { limit }) },
  ],
  'provider-unavailable': ({ retryAfterSeconds }) => [
    503,
    'The keys of the identity provider are unavailable. Wait and retry.',
    { retryAfterSeconds },
  ],
  misconfigured: () => [
    503,
    'A secret of the service is missing or unusable. The log names it for the operator.',
  ],
  internal: () => [500, 'The service failed. Its log has the reason under the request id.'],
}

/** An operation on the whole space names this instead of a collection. */
const ALL = '*'

/** Objects of the previous release send no path. */
function at(place = ''): string {
  return place === '' ? '' : ` at ${place}`
}

function exceeded(policy: RateLimited['policy'], limit: number | null): string {
  const rate = limit === null ? '' : `: ${limit} requests a minute`
  return `Rate limit exceeded${rate} ${policy === 'place' ? 'at this location' : `per ${policy}`}`
}

/** Whether this version knows a fault. An object of the next release may refuse for a reason that is new there. */
export function isKnown({ code }: Fault): boolean {
  return Object.hasOwn(WORDS, code)
}

/** Every code of a fault. */
export function faultCodes(): readonly FaultCode[] {
  // The table has exactly these keys.
  return Object.keys(WORDS) as FaultCode[]
}

/** The status, code and text of a fault. */
export function problemOf(fault: Fault): Problem {
  const code = shownAs(fault)
  // TypeScript cannot see that the entry under the code of a fault takes that very fault.
  const words = WORDS[code] as (fault: Fault) => Words
  const [status, detail, members = {}] = words(fault)
  return { status, code, detail, members }
}

/** The code that clients see. */
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

/** The code of a refusal that is not a fault: the words of its status, as in `forbidden`. */
export function codeOf(status: number): string {
  return (TITLES[status] ?? 'Error').toLowerCase().replaceAll(' ', '-')
}

/**
 * A problem document (RFC 9457) with the fields that a client of the founding API reads: `success`, `conflicts`
 * and `synced`. Copies named fields only. No member overrides a field that the RFC names.
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
