import { absenceOf } from '../core/absence.ts'
import { problemDocument } from '../core/problem.ts'
import { HTTPError } from '../errors.ts'
import { absent, refusal } from './refusal.ts'

/** What was thrown as an error that may be shown. A space that cannot answer is busy; anything else becomes a bare 500. */
export function shown(thrown: unknown): HTTPError {
  if (thrown instanceof HTTPError && isAnswerable(thrown)) return thrown
  return absenceOf(thrown) === null ? refusal({ code: 'internal' }) : absent()
}

/** Whether an error can be answered as it is: code in front of a space may give any status, and any data. */
function isAnswerable({ status, members }: HTTPError): boolean {
  if (!Number.isInteger(status) || ((status < 400 || status > 599) && status !== 101)) return false
  try {
    JSON.stringify(members)
    return !('toJSON' in members)
  } catch {
    return false
  }
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
