import type { Fault } from '../core/fault.ts'
import type { Result } from '../core/result.ts'
import { HTTPError, SyncError } from '../errors.ts'

/** The value of a result; a fault is thrown as the error that the edge answers with. */
export function unwrap<T>(result: Result<T>): T {
  if (!result.ok) throw refusal(result.fault)
  return result.value
}

const BEARER = { 'www-authenticate': 'Bearer realm="chronicle"' }
const INVALID_BEARER = { 'www-authenticate': 'Bearer realm="chronicle", error="invalid_token"' }

/** The one place where a fault gets its status and its words. */
export function refusal(fault: Fault): HTTPError {
  const { code } = fault
  switch (fault.code) {
    case 'not-utf8':
      return new HTTPError(400, 'The body is not valid UTF-8.', { code })
    case 'not-json':
      return new HTTPError(400, `The body is not JSON: ${fault.detail}.`, { code })
    case 'lone-surrogate':
      return new HTTPError(
        400,
        'A string holds a lone surrogate escape (\\ud800 to \\udfff), which is not text.',
        { code },
      )
    case 'too-deep':
      return new HTTPError(400, `A value nests deeper than ${fault.limit} arrays and objects.`, { code })
    case 'number-out-of-range':
      return new HTTPError(400, 'A number is past the range of an IEEE double.', { code })
    case 'invalid-request':
      return new HTTPError(422, `${fault.detail}.`, { code })
    case 'too-many-changes':
      return new HTTPError(413, `${fault.found} changes; send at most ${fault.limit} a request.`, {
        code,
        members: { limit: fault.limit },
      })
    case 'body-too-large':
      return new HTTPError(
        413,
        `The body is larger than ${fault.limit} bytes; send fewer changes a request.`,
        {
          code,
          members: { limit: fault.limit },
        },
      )
    case 'body-timeout':
      return new HTTPError(408, `The body did not arrive within ${fault.afterMs} ms.`, { code })
    case 'unsupported-media-type':
      return new HTTPError(415, `Send the header Content-Type: ${fault.expected}.`, {
        code,
        headers: { 'accept-post': fault.expected },
      })
    case 'unauthorized':
      return new HTTPError(401, fault.detail, { code, headers: BEARER })
    case 'session-expired':
      return new HTTPError(401, 'The session has expired; open a new one with POST /api/auth.', {
        code,
        headers: INVALID_BEARER,
      })
    case 'revoked':
      return new HTTPError(401, 'The session was ended or its token revoked; a new token is needed.', {
        code,
        headers: INVALID_BEARER,
      })
    case 'forbidden-scope':
      return new HTTPError(403, `The token does not grant the scope ${fault.needed}.`, { code })
    case 'forbidden-collection':
      return new HTTPError(403, `The token does not grant the collection ${fault.collection}.`, { code })
    case 'foreign-client':
      return new HTTPError(403, `The request is not this client's: ${fault.detail}.`, { code })
    case 'forbidden-origin':
      return new HTTPError(403, 'The origin is not among those that the stack allows (corsOrigins).', {
        code,
      })
    case 'not-found':
      return new HTTPError(404, `Not found: ${fault.detail}.`, { code })
    case 'method-not-allowed':
      return new HTTPError(405, `Use ${fault.allow.join(', ')}.`, {
        code,
        headers: { allow: fault.allow.join(', ') },
      })
    case 'batch-gap':
      return new SyncError(
        `Batch ${fault.found} came, but ${fault.expected} is the next one; send what lies between first.`,
        { expected: fault.expected },
        { code },
      )
    case 'batch-too-old':
      return new SyncError(
        `Batch ${fault.found} was answered before; the last one is ${fault.last}.`,
        { expected: fault.last + 1 },
        { code },
      )
    case 'batch-mismatch':
      return new SyncError(
        `Batch ${fault.batch} came before with other changes; new changes need a new number.`,
        { expected: fault.batch + 1 },
        { code },
      )
    case 'atomic-failed':
      return new SyncError(
        'The batch is atomic and not every change could be applied; nothing was stored.',
        { results: fault.results },
        { code },
      )
    case 'rate-limited':
      return new HTTPError(429, 'Too many requests; wait and try again.', {
        code,
        headers: { 'retry-after': String(fault.retryAfterSeconds) },
      })
    case 'misconfigured':
      return new HTTPError(
        503,
        'The service lacks a secret and refuses to serve; its operator must deploy it again.',
        { code },
      )
    case 'internal':
      return new HTTPError(500, 'The service failed; the request id finds the reason in its logs.', { code })
  }
}
