import type { RateLimited } from './access/budget.ts'
import type { BatchFault } from './batch/batch-number.ts'
import type { ChangeResult } from './batch/verdict.ts'
import type { QuotaExceeded } from './space/quota.ts'

/**
 * Why a whole request is refused: a closed union that clients and tests key on through its `code`.
 * Each carries the numbers that explain it and nothing else; `problem.ts` turns it into words.
 */
export type Fault =
  | { readonly code: 'not-utf8' }
  | { readonly code: 'not-json'; readonly detail: string }
  | { readonly code: 'lone-surrogate'; readonly place?: string }
  | { readonly code: 'number-out-of-range'; readonly place?: string }
  | { readonly code: 'too-deep'; readonly limit: number; readonly place?: string }
  | { readonly code: 'invalid-request'; readonly detail: string }
  | { readonly code: 'too-many-changes'; readonly limit: number; readonly found: number }
  | { readonly code: 'body-too-large'; readonly limit: number }
  | { readonly code: 'body-timeout'; readonly afterMs: number }
  | { readonly code: 'unsupported-media-type'; readonly expected: string }
  | { readonly code: 'unauthorized'; readonly detail: string }
  | { readonly code: 'session-expired' }
  | Revoked
  | { readonly code: 'session-ended' }
  | { readonly code: 'space-erased' }
  | { readonly code: 'ticket-spent' }
  | { readonly code: 'forbidden-scope'; readonly needed: string }
  | { readonly code: 'forbidden-collection'; readonly collection: string }
  | { readonly code: 'foreign-client'; readonly detail: string }
  | { readonly code: 'forbidden-origin' }
  | { readonly code: 'not-found'; readonly detail: string }
  | { readonly code: 'method-not-allowed'; readonly allow: readonly string[] }
  | { readonly code: 'upgrade-required' }
  | BatchFault
  | { readonly code: 'batch-mismatch'; readonly batch: number }
  | { readonly code: 'batch-forgotten'; readonly batch: number }
  | { readonly code: 'atomic-failed'; readonly results: readonly ChangeResult[] }
  | { readonly code: 'stale-base'; readonly version: string | null }
  | { readonly code: 'already-resolved'; readonly id: number }
  | { readonly code: 'config-changed'; readonly revision: number }
  | { readonly code: 'not-empty' }
  | { readonly code: 'import-gap'; readonly expected: number }
  | { readonly code: 'invalid-line'; readonly line: number; readonly detail: string }
  | { readonly code: 'importing'; readonly retryAfterSeconds: number }
  | RateLimited
  | QuotaExceeded
  | Busy
  | { readonly code: 'provider-unavailable'; readonly retryAfterSeconds: number }
  | { readonly code: 'misconfigured' }
  | { readonly code: 'internal' }

/**
 * `of`: a session that was ended by itself, or the space, which was erased; absent for a token. Objects give these as one
 * code, because a Worker of the last release knows no other; clients are told `session-ended` and `space-erased`.
 */
export interface Revoked {
  readonly code: 'revoked'
  readonly of?: 'session' | 'space'
}

/** `limit`: of sockets, where it is those that are too many. */
export interface Busy {
  readonly code: 'busy'
  readonly limit?: number
  /** The space itself is not to be had at present, and what it was asked may have taken effect. */
  readonly absent?: true
  readonly retryAfterSeconds: number
}

export type FaultCode = Fault['code']
