import * as z from 'zod/mini'
import { SCOPES } from '../../core/access/session.ts'
import { Milliseconds } from '../atoms.ts'
import type { Words } from '../words.ts'

/** The target of an operator's act. Fields that do not apply, or were not known yet, are left out. */
export const AuditTarget = z.object({
  tokenId: z.optional(z.string()),
  replacedBy: z.optional(z.string()),
  subject: z.optional(z.string()),
  space: z.optional(z.string()),
  scopes: z.optional(z.array(z.enum(SCOPES))),
  revision: z.optional(z.int()),
})

export const AUDIT_TARGET_WORDS: Words<typeof AuditTarget> = {
  description:
    'The target of an act. Fields that do not apply, were not known yet, or look like a credential are left out.',
  fields: {
    tokenId:
      'The `id` of the token that was minted, replaced or revoked, or that opened the session which acted.',
    replacedBy: 'The `id` of the token that replaced it.',
    subject: 'The subject of the token or the sessions.',
    space: 'The space that the token or the sessions open, or that was exported, imported or erased.',
    scopes: 'The scopes of the minted token.',
    revision: 'The new revision of the configuration, or the one that a refused change was based on.',
  },
}

/** The record of an operator's act. */
export const AuditRecord = z.object({
  at: Milliseconds,
  act: z.string(),
  status: z.int(),
  requestId: z.string(),
  admin: z.string(),
  address: z.nullable(z.string()),
  target: AuditTarget,
})

export const AUDIT_RECORD_WORDS: Words<typeof AuditRecord> = {
  description: 'An act of an operator, or of a session on a whole space, whether carried out or refused.',
  fields: {
    at: 'When the act ended, ms since 1970.',
    act: 'Method and route.',
    status: 'The status of the reply. It is also 500 if the outcome is unknown.',
    requestId: 'The `X-Request-Id` of the reply.',
    admin:
      'A fingerprint of the admin token, which tells tokens apart. `session` for an act of a session, whose token and subject are in `target`.',
    address: 'The address that the request came from. Null if the platform does not tell.',
    target: 'The target of the act.',
  },
}
