import * as z from 'zod/mini'
import type { Quota } from '../core/space/quota.ts'
import { Limits } from './limits-reply.ts'
import { Milliseconds, Opaque } from './name.ts'

/** How much of something is used, and may be. */
export const Usage = z.object({ used: z.int(), limit: z.int() })

/** What a space holds, and may hold. */
export const QuotaUsage = z.object({
  entries: Usage,
  bytes: Usage,
} satisfies Record<Quota, z.ZodMiniType>)

/** The reply of `GET /api/status`. */
export const StatusReply = z.object({
  status: z.literal('ok'),
  lastSync: z.nullable(Milliseconds),
  pending: z.int(),
  head: Opaque,
  epoch: z.string(),
  entries: z.nullable(z.int()),
  openConflicts: z.nullable(z.int()),
  quota: z.nullable(QuotaUsage),
  serverTime: Milliseconds,
  limits: Limits,
})
