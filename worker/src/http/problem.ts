import { problemDocument } from '../core/problem.ts'
import { HTTPError } from '../errors.ts'
import { refusal } from './refusal.ts'

/** What was thrown as an error that may be shown: anything unexpected becomes a bare 500. */
export function shown(thrown: unknown): HTTPError {
  return thrown instanceof HTTPError ? thrown : refusal({ code: 'internal' })
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
