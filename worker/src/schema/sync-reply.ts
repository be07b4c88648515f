import * as z from 'zod/mini'
import type { Rejection, Verdict } from '../core/batch/verdict.ts'
import { RESET_REASONS } from '../core/feed/cursor.ts'
import { Conflict } from './conflict-reply.ts'
import { Entry } from './entry-reply.ts'
import { AnyJson, Milliseconds, Opaque } from './name.ts'

const REJECTIONS = {
  'invalid-key': 'invalid-key',
  'invalid-timestamp': 'invalid-timestamp',
  'missing-value': 'missing-value',
  'value-too-large': 'value-too-large',
  'forbidden-key': 'forbidden-key',
  'too-deep': 'too-deep',
  'lone-surrogate': 'lone-surrogate',
  'number-out-of-range': 'number-out-of-range',
} as const satisfies { readonly [R in Rejection]: R }

const Decided = { key: z.string(), effectiveTimestamp: z.optional(Milliseconds) }

/** The change stands. */
export const AppliedResult = z.object({
  ...Decided,
  status: z.literal('applied'),
  version: Opaque,
  conflict: z.optional(z.int()),
})

/** The change stands inside a value that the space made. */
export const MergedResult = z.object({
  ...Decided,
  status: z.literal('merged'),
  version: Opaque,
  value: z.optional(AnyJson),
  conflict: z.optional(z.int()),
})

/** The same content stood already. */
export const NoopResult = z.object({
  ...Decided,
  status: z.literal('noop'),
  version: z.optional(Opaque),
})

/** The change lost, and is kept as the loser of a conflict. */
export const SupersededResult = z.object({
  ...Decided,
  status: z.literal('superseded'),
  version: z.optional(Opaque),
  conflict: z.optional(z.int()),
})

/** The change waits for a decision. */
export const OpenResult = z.object({
  ...Decided,
  status: z.literal('conflict'),
  version: z.optional(Opaque),
  conflict: z.optional(z.int()),
})

/** The change is refused, and its neighbours are not. */
export const RejectedResult = z.object({
  key: z.string(),
  status: z.literal('rejected'),
  code: z.enum(REJECTIONS),
  path: z.optional(z.string()),
})

const RESULTS = {
  applied: AppliedResult,
  merged: MergedResult,
  noop: NoopResult,
  superseded: SupersededResult,
  conflict: OpenResult,
  rejected: RejectedResult,
} as const satisfies { readonly [S in Verdict['status']]: z.ZodMiniObject }

/** What became of one change. */
export const ChangeResult = z.discriminatedUnion('status', [
  RESULTS.applied,
  RESULTS.merged,
  RESULTS.noop,
  RESULTS.superseded,
  RESULTS.conflict,
  RESULTS.rejected,
])

/** A page of the feed: the reply of `GET /api/changes`. */
export const ChangesReply = z.object({
  changes: z.array(Entry),
  cursor: Opaque,
  head: Opaque,
  more: z.boolean(),
  reset: z.boolean(),
  resetReason: z.optional(z.enum(RESET_REASONS)),
})

/** The reply of `POST /api/sync`; `cursor`, `more` and `reset` are there where the request has a cursor. */
export const SyncReply = z.extend(z.partial(ChangesReply), {
  success: z.boolean(),
  synced: z.array(z.string()),
  conflicts: z.array(Conflict),
  results: z.array(ChangeResult),
  changes: z.array(Entry),
  head: Opaque,
  replayed: z.boolean(),
  serverTime: Milliseconds,
})
