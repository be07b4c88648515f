import * as z from 'zod/mini'
import { MAX_OVERLAP_SECONDS } from '../../core/values/access-limits.ts'

import { Collections, Milliseconds, Name, Scopes, SpaceName } from '../atoms.ts'
import type { Words } from '../words.ts'

/**
 * The body of `POST /api/tokens`. `space` defaults to the space that has the name of the subject, which every other
 * token with that name shares. `collections` defaults to all.
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

export const TOKEN_REQUEST_WORDS: Words<typeof TokenRequest> = {
  description: 'A token to mint.',
  fields: {
    subject: 'The holder of the token.',
    space:
      'The space that the token opens. Defaults to the space with the name of the subject, which every token with that name shares.',
    scopes:
      'The scopes of the token. `sync:write` with `sync:read` also resolves conflicts, `space:admin` exports, imports and erases.',
    collections: 'The collections of the token. Defaults to all.',
    expiresAt: 'When the token expires, ms since 1970. Default: never.',
    name: "The operator's name for the token.",
  },
}

/** The body of `POST /api/tokens/{id}/rotate`: how long the old token stays valid beside the new one. */
export const RotateRequest = z.strictObject({
  overlapSeconds: z._default(z.int().check(z.minimum(0), z.maximum(MAX_OVERLAP_SECONDS)), 0),
})

export const ROTATE_REQUEST_WORDS: Words<typeof RotateRequest> = {
  description: 'How to replace a token.',
  fields: {
    overlapSeconds:
      'How long the old token stays valid beside the new one, seconds. By default it ends at once.',
  },
}
