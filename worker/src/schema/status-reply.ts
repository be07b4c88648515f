import * as z from 'zod/mini'
import { Limits } from './limits-reply.ts'
import { Milliseconds, Opaque } from './name.ts'

/** The reply of `GET /api/status`. */
export const StatusReply = z.object({
  status: z.literal('ok'),
  lastSync: z.nullable(Milliseconds),
  pending: z.int(),
  head: Opaque,
  epoch: z.string(),
  entries: z.nullable(z.int()),
  openConflicts: z.nullable(z.int()),
  serverTime: Milliseconds,
  limits: Limits,
})
