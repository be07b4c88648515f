import type { RateLimited } from '../../core/access/budget.ts'
import type { Fault } from '../../core/fault.ts'
import { isKnown, problemOf } from '../../core/problem.ts'
import { BUDGET_WINDOW_SECONDS } from '../../core/values/access-limits.ts'
import { ABSENCE_RETRY_SECONDS } from '../../core/values/limits.ts'
import type { Result } from '../../core/values/result.ts'
import { HTTPError, SyncError } from './errors.ts'

/** Returns the value of a result, or throws its fault as the error of the reply. */
export function unwrap<T>(result: Result<T, Fault>): T {
  if (!result.ok) throw refusal(result.fault)
  return result.value
}

/**
 * A fault as the error of the reply. A fault that only a newer release knows becomes `busy`, so that the client
 * retries.
 */
export function refusal(fault: Fault): HTTPError {
  if (!isKnown(fault)) return absent()
  const { status, code, detail, members } = problemOf(fault)
  if (status === 409) return new SyncError(detail, members, { code })
  return new HTTPError(status, detail, { code, members, headers: headersOf(fault) })
}

/** The refusal for a space that is temporarily absent. */
export function absent(): HTTPError {
  return refusal({ code: 'busy', absent: true, retryAfterSeconds: ABSENCE_RETRY_SECONDS })
}

const REALM = 'Bearer realm="chronicle"'

/** The HTTP headers of a fault. */
function headersOf(fault: Fault): Readonly<Record<string, string>> {
  switch (fault.code) {
    case 'unauthorized':
      return { 'www-authenticate': REALM }
    case 'session-expired':
    case 'revoked':
    case 'session-ended':
    case 'space-erased':
    case 'ticket-spent':
      return { 'www-authenticate': `${REALM}, error="invalid_token"` }
    case 'method-not-allowed':
      return { allow: fault.allow.join(', ') }
    case 'unsupported-media-type':
      return { 'accept-post': fault.expected }
    case 'upgrade-required':
      return { upgrade: 'websocket' }
    case 'rate-limited':
      return rateLimitFields(fault)
    case 'busy':
    case 'importing':
    case 'provider-unavailable':
      return { 'retry-after': String(fault.retryAfterSeconds) }
    default:
      return {}
  }
}

/**
 * `Retry-After`, and the fields of draft-ietf-httpapi-ratelimit-headers-11 (RateLimit header fields for HTTP, 3 and 4).
 * A policy must state its quota. The quota of the location's counter is unknown, so only `RateLimit` is sent for it.
 */
function rateLimitFields({
  policy,
  limit,
  retryAfterSeconds,
}: RateLimited): Readonly<Record<string, string>> {
  const retry = { 'retry-after': String(retryAfterSeconds) }
  if (limit === null) return { ...retry, ratelimit: `"${policy}";r=0` }
  return {
    ...retry,
    'ratelimit-policy': `"${policy}";q=${limit};w=${BUDGET_WINDOW_SECONDS}`,
    ratelimit: `"${policy}";r=0;t=${retryAfterSeconds}`,
  }
}
