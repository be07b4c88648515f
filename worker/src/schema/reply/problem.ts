import * as z from 'zod/mini'
import { BUDGETS } from '../../core/access/budget.ts'
import type { FaultCode } from '../../core/fault.ts'
import { faultCodes } from '../../core/problem.ts'
import { QUOTAS } from '../../core/space/quota.ts'
import { Opaque } from '../atoms.ts'
import { field, object } from './described.ts'
import { ChangeResult } from './sync.ts'

/** A refusal (RFC 9457) with the fields that a client of the founding API reads. */
export const Problem = object('A refusal of the whole request (RFC 9457). Each code adds its own fields.', {
  type: field('A URN of the `code`.', z.string()),
  title: field('The name of the status.', z.string()),
  status: field('The HTTP status.', z.int()),
  code: field(
    'One of a closed list. `x-action` of its schema says what a client does. Treat an unknown code by its status.',
    z.enum(faultCodes()),
  ),
  detail: field('An explanation for developers.', z.string()),
  instance: field('A URN of the request id.', z.string()),
  success: z.literal(false),
  conflicts: field('Always empty.', z.array(z.unknown()).check(z.maxLength(0))),
  synced: field('Always empty.', z.array(z.unknown()).check(z.maxLength(0))),
})

/** On a socket no header says when to retry. */
const RetryAfter = field('Seconds to wait, as in `Retry-After`.', z.int())
const NextBatch = z.object({
  expected: field('The next batch number.', z.int()),
})

/** The further fields of the problems that have any, by their code. */
export const PROBLEM_MEMBERS = {
  'too-many-changes': z.object({ limit: field('The most changes of a batch.', z.int()) }),
  'body-too-large': z.object({ limit: field('The largest body, bytes.', z.int()) }),
  'batch-gap': z.extend(NextBatch, {
    reset: field(
      'The space has no batch of this client: pull, and start over if the page says so.',
      z.optional(z.literal(true)),
    ),
    epoch: field('Identifies the data of the space. Present with `reset`.', z.optional(z.string())),
  }),
  'batch-too-old': NextBatch,
  'batch-mismatch': NextBatch,
  'batch-forgotten': NextBatch,
  'atomic-failed': z.object({
    results: field(
      'The result that each change would have if the batch were not atomic.',
      z.array(ChangeResult),
    ),
  }),
  'stale-base': z.object({
    version: field('The current version of the entry, or null.', z.nullable(Opaque)),
  }),
  'already-resolved': z.object({ id: field('The id of the conflict.', z.int()) }),
  'config-changed': z.object({
    revision: field('The current revision of the configuration.', z.int()),
  }),
  'import-gap': z.object({
    expected: field('The number of the next line of the import.', z.int()),
  }),
  'invalid-line': z.object({
    line: field('The number of the refused line, from 1.', z.int()),
  }),
  importing: z.object({ retryAfterSeconds: RetryAfter }),
  busy: z.object({
    retryAfterSeconds: RetryAfter,
    limit: field('The most sockets of a space, if the space has reached that limit.', z.optional(z.int())),
  }),
  'provider-unavailable': z.object({ retryAfterSeconds: RetryAfter }),
  'rate-limited': z.object({
    policy: field(
      'The exhausted budget. `place`: the counter at the Cloudflare location.',
      z.enum([...BUDGETS, 'place']),
    ),
    retryAfterSeconds: field(
      'Seconds until the next request is accepted, unless others come first.',
      z.int(),
    ),
    limit: field('The requests per window. Absent for `place`.', z.optional(z.int())),
    windowSeconds: field('The length of the window, seconds. Absent for `place`.', z.optional(z.int())),
  }),
  'quota-exceeded': z.object({
    quota: field('The exhausted quota.', z.enum(QUOTAS)),
    limit: field('The limit of the quota.', z.int()),
    used: field('The amount in use. Null for a token of some collections.', z.nullable(z.int())),
  }),
} as const satisfies { readonly [C in FaultCode]?: z.ZodMiniObject }
