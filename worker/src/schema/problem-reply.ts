import * as z from 'zod/mini'
import { BUDGETS } from '../core/access/budget.ts'
import type { FaultCode } from '../core/fault.ts'
import { QUOTAS } from '../core/space/quota.ts'
import { Opaque } from './name.ts'
import { ChangeResult } from './sync-reply.ts'

/** Every code that there is: as an object, because of that the compiler sees that none is missing. */
const CODES = {
  'not-utf8': 'not-utf8',
  'not-json': 'not-json',
  'lone-surrogate': 'lone-surrogate',
  'too-deep': 'too-deep',
  'number-out-of-range': 'number-out-of-range',
  'invalid-request': 'invalid-request',
  'too-many-changes': 'too-many-changes',
  'body-too-large': 'body-too-large',
  'body-timeout': 'body-timeout',
  'unsupported-media-type': 'unsupported-media-type',
  unauthorized: 'unauthorized',
  'session-expired': 'session-expired',
  revoked: 'revoked',
  'session-ended': 'session-ended',
  'space-erased': 'space-erased',
  'ticket-spent': 'ticket-spent',
  'forbidden-scope': 'forbidden-scope',
  'forbidden-collection': 'forbidden-collection',
  'foreign-client': 'foreign-client',
  'forbidden-origin': 'forbidden-origin',
  'not-found': 'not-found',
  'method-not-allowed': 'method-not-allowed',
  'upgrade-required': 'upgrade-required',
  'batch-gap': 'batch-gap',
  'batch-too-old': 'batch-too-old',
  'batch-mismatch': 'batch-mismatch',
  'batch-forgotten': 'batch-forgotten',
  'atomic-failed': 'atomic-failed',
  'stale-base': 'stale-base',
  'already-resolved': 'already-resolved',
  'config-changed': 'config-changed',
  'not-empty': 'not-empty',
  'import-gap': 'import-gap',
  'invalid-line': 'invalid-line',
  importing: 'importing',
  'rate-limited': 'rate-limited',
  'quota-exceeded': 'quota-exceeded',
  busy: 'busy',
  'provider-unavailable': 'provider-unavailable',
  misconfigured: 'misconfigured',
  internal: 'internal',
} as const satisfies { readonly [C in FaultCode]: C }

/** A refusal (RFC 9457) with the fields that a client of the founding API reads. */
export const Problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  code: z.enum(CODES),
  detail: z.string(),
  instance: z.string(),
  success: z.literal(false),
  conflicts: z.array(z.unknown()).check(z.maxLength(0)),
  synced: z.array(z.unknown()).check(z.maxLength(0)),
})

/** Of a refusal that passes by itself: on a socket there is no header to say it. */
const RETRY = z.object({ retryAfterSeconds: z.int() })

/** The further members of the problems that have any, by their code. */
export const PROBLEM_MEMBERS = {
  'too-many-changes': z.object({ limit: z.int() }),
  'body-too-large': z.object({ limit: z.int() }),
  'batch-gap': z.object({
    expected: z.int(),
    reset: z.optional(z.literal(true)),
    epoch: z.optional(z.string()),
  }),
  'batch-too-old': z.object({ expected: z.int() }),
  'batch-mismatch': z.object({ expected: z.int() }),
  'batch-forgotten': z.object({ expected: z.int() }),
  'atomic-failed': z.object({ results: z.array(ChangeResult) }),
  'stale-base': z.object({ version: z.nullable(Opaque) }),
  'already-resolved': z.object({ id: z.int() }),
  'config-changed': z.object({ revision: z.int() }),
  'import-gap': z.object({ expected: z.int() }),
  'invalid-line': z.object({ line: z.int() }),
  importing: RETRY,
  busy: z.extend(RETRY, { limit: z.optional(z.int()) }),
  'provider-unavailable': RETRY,
  'rate-limited': z.object({
    policy: z.enum([...BUDGETS, 'place']),
    retryAfterSeconds: z.int(),
    limit: z.optional(z.int()),
    windowSeconds: z.optional(z.int()),
  }),
  'quota-exceeded': z.object({ quota: z.enum(QUOTAS), limit: z.int(), used: z.nullable(z.int()) }),
} as const satisfies { readonly [C in FaultCode]?: z.ZodMiniObject }
