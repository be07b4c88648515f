import * as z from 'zod/mini'
import { SCOPES } from '../core/access/session.ts'
import { MAX_OVERLAP_SECONDS } from '../core/values/limits.ts'
import { Collections, Milliseconds, Name, Scopes, SpaceName } from './name.ts'

/**
 * The body of `POST /api/tokens`. Without `space` the token is for the space that is
 * named like its subject: any other token with that name shares it. Without `collections`, for all of them.
 */
export const TokenRequest = z.strictObject({
  subject: Name,
  space: z.optional(SpaceName),
  scopes: Scopes,
  collections: z.optional(Collections),
  expiresAt: z.optional(Milliseconds),
  name: z.optional(z.string().check(z.maxLength(128))),
})
export type TokenRequest = z.infer<typeof TokenRequest>

/** The body of `POST /api/tokens/{id}/rotate`: how long the old token goes on beside the new one. */
export const RotateRequest = z.strictObject({
  overlapSeconds: z._default(z.int().check(z.minimum(0), z.maximum(MAX_OVERLAP_SECONDS)), 0),
})

/** What is kept of a token, under its SHA-256: everything but the token. */
export const TokenRecord = z.object({
  id: z.string(),
  subject: Name,
  space: SpaceName,
  scopes: z.array(z.enum(SCOPES)),
  collections: z.nullable(z.array(z.string())),
  expiresAt: z.nullable(Milliseconds),
  name: z.nullable(z.string()),
  createdAt: Milliseconds,
})
export type TokenRecord = z.infer<typeof TokenRecord>
