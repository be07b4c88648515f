import { HTTPError } from '../errors.ts'
import { refusal } from './refusal.ts'

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
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
}

/** What was thrown as an error that may be shown: anything unexpected becomes a bare 500. */
export function shown(thrown: unknown): HTTPError {
  return thrown instanceof HTTPError ? thrown : refusal({ code: 'internal' })
}

/**
 * A refusal as `application/problem+json` (RFC 9457), with the fields that a client of the founding API reads:
 * `success`, `conflicts` and `synced`. Copies named fields only.
 */
export function problem(error: HTTPError, requestId: string): Response {
  const body = {
    type: `urn:chronicle-sync:problem:${error.code}`,
    title: TITLES[error.status] ?? 'Error',
    status: error.status,
    code: error.code,
    detail: error.message,
    instance: `urn:chronicle-sync:request:${requestId}`,
    success: false,
    conflicts: [],
    synced: [],
    ...error.members,
  }
  const headers = { ...error.headers, 'content-type': 'application/problem+json' }
  return new Response(JSON.stringify(body), { status: error.status, headers })
}
