import * as z from 'zod/mini'
import { SCOPES } from '../core/access/session.ts'
import { Limits } from './limits-reply.ts'
import { ClientId, Milliseconds } from './name.ts'

/** The reply of `POST /api/auth`. */
export const AuthReply = z.object({
  success: z.literal(true),
  session: z.string(),
  expiresAt: Milliseconds,
  clientId: ClientId,
  space: z.string(),
  epoch: z.optional(z.string()),
  lastBatch: z.optional(z.int()),
  scopes: z.array(z.enum(SCOPES)),
  collections: z.nullable(z.array(z.string())),
  limits: Limits,
})
