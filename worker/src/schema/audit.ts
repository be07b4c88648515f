import * as z from 'zod/mini'
import { SCOPES } from '../core/access/session.ts'
import { Milliseconds } from './name.ts'

/** What an operator's act was about; what does not apply, or was not known yet, is left out. */
export const AuditTarget = z.object({
  tokenId: z.optional(z.string()),
  replacedBy: z.optional(z.string()),
  subject: z.optional(z.string()),
  space: z.optional(z.string()),
  scopes: z.optional(z.array(z.enum(SCOPES))),
  revision: z.optional(z.int()),
})

/** What is kept of an operator's act. */
export const AuditRecord = z.object({
  at: Milliseconds,
  act: z.string(),
  status: z.int(),
  requestId: z.string(),
  admin: z.string(),
  address: z.nullable(z.string()),
  target: AuditTarget,
})
