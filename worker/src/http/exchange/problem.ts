import { absenceOf } from '../../core/absence.ts'
import { problemDocument } from '../../core/problem.ts'
import { HTTPError } from './errors.ts'
import { absent, refusal } from './refusal.ts'

/**
 * Turns anything thrown into an error that may be shown. A space that cannot reply is busy. Any other unexpected error
 * becomes a bare 500.
 */
export function toHttpError(thrown: unknown): HTTPError {
  if (thrown instanceof HTTPError && isRefusal(thrown)) return thrown
  return absenceOf(thrown) === null ? refusal({ code: 'internal' }) : absent()
}

/**
 * Whether an error is a refusal. Code in front of a space may set any status, and members that serialise themselves.
 */
function isRefusal({ status, members }: HTTPError): boolean {
  return (status === 101 || (status >= 400 && status <= 599)) && !('toJSON' in members)
}

/** A refusal as `application/problem+json` (RFC 9457). Throws if it cannot be serialised. */
export function problem(error: HTTPError, requestId: string): Response {
  const { status, code, message, members } = error
  const document = problemDocument({ status, code, detail: message, members }, requestId)
  const headers = new Headers(error.headers)
  headers.set('content-type', 'application/problem+json')
  return new Response(JSON.stringify(document), { status, headers })
}
