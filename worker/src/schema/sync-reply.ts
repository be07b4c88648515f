import * as z from 'zod/mini'
import { RESET_REASONS } from '../core/cursor.ts'
import type { Rejection, Verdict } from '../core/verdict.ts'
import { Conflict } from './conflict-reply.ts'
import { Entry } from './entry-reply.ts'
import { AnyJson, Milliseconds, Opaque } from './name.ts'

const STATUSES = {
  applied: 'applied',
  merged: 'merged',
  noop: 'noop',
  superseded: 'superseded',
  conflict: 'conflict',
  rejected: 'rejected',
} as const satisfies { readonly [S in Verdict['status']]: S }

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

/** What became of one change. */
export const ChangeResult = z.object({
  key: z.string(),
  status: z.enum(STATUSES),
  version: z.optional(Opaque),
  value: z.optional(AnyJson),
  effectiveTimestamp: z.optional(Milliseconds),
  conflict: z.optional(z.int()),
  code: z.optional(z.enum(REJECTIONS)),
  path: z.optional(z.string()),
})

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
