import type { Fault, FaultCode } from '../core/fault.ts'
import type { Result } from '../core/result.ts'
import { HTTPError, SyncError } from '../errors.ts'

/** The value of a result; a fault is thrown as the error that the edge answers with. */
export function unwrap<T>(result: Result<T>): T {
  if (!result.ok) throw refusal(result.fault)
  return result.value
}

const BEARER = { 'www-authenticate': 'Bearer realm="chronicle"' }
const INVALID_BEARER = { 'www-authenticate': 'Bearer realm="chronicle", error="invalid_token"' }

type Words = { readonly [Code in FaultCode]: (fault: Extract<Fault, { code: Code }>) => HTTPError }

/** The one place where a fault gets its status and its words. */
const WORDS: Words = {
  'not-utf8': ({ code }) => new HTTPError(400, 'The body is not valid UTF-8.', { code }),
  'not-json': ({ code, detail }) => new HTTPError(400, `The body is not JSON: ${detail}.`, { code }),
  'lone-surrogate': ({ code }) =>
    new HTTPError(400, 'A string holds a lone surrogate escape (\\ud800 to \\udfff), which is not text.', {
      code,
    }),
  'too-deep': ({ code, limit }) =>
    new HTTPError(400, `A value nests deeper than ${limit} arrays and objects.`, { code }),
  'number-out-of-range': ({ code }) =>
    new HTTPError(400, 'A number is past the range of an IEEE double.', { code }),
  'invalid-request': ({ code, detail }) => new HTTPError(422, `${detail}.`, { code }),
  'too-many-changes': ({ code, found, limit }) =>
    new HTTPError(413, `${found} changes; send at most ${limit} a request.`, { code, members: { limit } }),
  'body-too-large': ({ code, limit }) =>
    new HTTPError(413, `The body is larger than ${limit} bytes; send fewer changes a request.`, {
      code,
      members: { limit },
    }),
  'body-timeout': ({ code, afterMs }) =>
    new HTTPError(408, `The body did not arrive within ${afterMs} ms.`, { code }),
  'unsupported-media-type': ({ code, expected }) =>
    new HTTPError(415, `Send the header Content-Type: ${expected}, and no Content-Encoding.`, {
      code,
      headers: { 'accept-post': expected },
    }),
  unauthorized: ({ code, detail }) => new HTTPError(401, detail, { code, headers: BEARER }),
  'session-expired': ({ code }) =>
    new HTTPError(401, 'The session has expired; open a new one with POST /api/auth.', {
      code,
      headers: INVALID_BEARER,
    }),
  revoked: ({ code }) =>
    new HTTPError(401, 'The session was ended or its token revoked.', { code, headers: INVALID_BEARER }),
  'forbidden-scope': ({ code, needed }) =>
    new HTTPError(403, `The token does not grant the scope ${needed}.`, { code }),
  'forbidden-collection': ({ code, collection }) =>
    new HTTPError(403, `The token does not grant the collection ${collection}.`, { code }),
  'foreign-client': ({ code, detail }) =>
    new HTTPError(403, `The request is not this client's: ${detail}.`, { code }),
  'forbidden-origin': ({ code }) =>
    new HTTPError(403, 'The origin is not among those that the stack allows (corsOrigins).', { code }),
  'not-found': ({ code, detail }) => new HTTPError(404, `Not found: ${detail}.`, { code }),
  'method-not-allowed': ({ code, allow }) =>
    new HTTPError(405, `Use ${allow.join(', ')}.`, { code, headers: { allow: allow.join(', ') } }),
  'batch-gap': ({ code, found, expected }) =>
    new SyncError(
      `Batch ${found} came, but ${expected} is the next one; send what lies between first.`,
      { expected },
      { code },
    ),
  'batch-too-old': ({ code, found, last }) =>
    new SyncError(
      `Batch ${found} was answered before; the last one is ${last}.`,
      { expected: last + 1 },
      { code },
    ),
  'batch-mismatch': ({ code, batch }) =>
    new SyncError(
      `Batch ${batch} came before with other changes; new changes need a new number.`,
      { expected: batch + 1 },
      { code },
    ),
  'atomic-failed': ({ code, results }) =>
    new SyncError(
      'The batch is atomic and not every change could be applied; nothing was stored.',
      { results },
      { code },
    ),
  'stale-base': ({ code, version }) =>
    new SyncError('Something else stands by now; look at it, and decide on that.', { version }, { code }),
  'already-resolved': ({ code, id }) =>
    new SyncError(
      `Conflict ${id} is settled; to bring another value back, write it to its key.`,
      { id },
      { code },
    ),
  'config-changed': ({ code, revision }) =>
    new SyncError(
      `The configuration is at revision ${revision} by now; look at it, and change that.`,
      { revision },
      { code },
    ),
  'not-empty': ({ code }) =>
    new SyncError('The space is not empty; erase it first with DELETE /api/space.', {}, { code }),
  'import-gap': ({ code, expected }) =>
    new SyncError(`Line ${expected} of the export is the next one.`, { expected }, { code }),
  'invalid-line': ({ code, line, detail }) =>
    new HTTPError(422, `Line ${line}: ${detail}. What came before it is in.`, { code, members: { line } }),
  importing: ({ code, retryAfterSeconds }) =>
    new HTTPError(503, 'The space is being filled from an export; wait and try again.', {
      code,
      headers: { 'retry-after': String(retryAfterSeconds) },
    }),
  'rate-limited': ({ code, retryAfterSeconds }) =>
    new HTTPError(429, 'Too many requests; wait and try again.', {
      code,
      headers: { 'retry-after': String(retryAfterSeconds) },
    }),
  misconfigured: ({ code }) =>
    new HTTPError(
      503,
      'The service lacks a secret, or cannot read it, and refuses to serve; its operator must deploy it again.',
      {
        code,
      },
    ),
  internal: ({ code }) =>
    new HTTPError(500, 'The service failed; the request id finds the reason in its logs.', { code }),
}

/** A fault as the error that the edge answers with. */
export function refusal(fault: Fault): HTTPError {
  // TypeScript cannot see that the words found under a fault's code are for that very fault.
  const words = WORDS[fault.code] as (fault: Fault) => HTTPError
  return words(fault)
}
