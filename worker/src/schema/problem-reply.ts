import * as z from 'zod/mini'
import { BUDGETS } from '../core/budget.ts'
import type { FaultCode } from '../core/fault.ts'
import { QUOTAS } from '../core/quota.ts'
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
  conflicts: z.array(z.never()),
  synced: z.array(z.never()),
  limit: z.optional(z.int()),
  expected: z.optional(z.int()),
  results: z.optional(z.array(ChangeResult)),
  version: z.optional(z.nullable(Opaque)),
  id: z.optional(z.int()),
  revision: z.optional(z.int()),
  line: z.optional(z.int()),
  policy: z.optional(z.enum([...BUDGETS, 'place'])),
  windowSeconds: z.optional(z.int()),
  retryAfterSeconds: z.optional(z.int()),
  quota: z.optional(z.enum(QUOTAS)),
  used: z.optional(z.nullable(z.int())),
})
