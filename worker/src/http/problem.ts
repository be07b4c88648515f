import { absenceOf } from '../core/absence.ts'
import { ABSENCE_RETRY_SECONDS } from '../core/limits.ts'
import { problemDocument } from '../core/problem.ts'
import { HTTPError } from '../errors.ts'
import { refusal } from './refusal.ts'

/** What was thrown as an error that may be shown. A space that cannot answer is busy; anything else becomes a bare 500. */
export function shown(thrown: unknown): HTTPError {
  if (thrown instanceof HTTPError) return thrown
  return absenceOf(thrown) === null ? refusal({ code: 'internal' }) : absent()
}

/** The refusal for a space that is not to be had at present. */
export function absent(): HTTPError {
  return refusal({ code: 'busy', absent: true, retryAfterSeconds: ABSENCE_RETRY_SECONDS })
}

/** A refusal as `application/problem+json` (RFC 9457). */
export function problem(error: HTTPError, requestId: string): Response {
  const { status, code, message, members, headers } = error
  const document = problemDocument({ status, code, detail: message, members }, requestId)
  return new Response(JSON.stringify(document), {
    status,
    headers: { ...headers, 'content-type': 'application/problem+json' },
  })
}
