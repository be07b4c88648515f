import * as z from 'zod/mini'
import { SCOPES } from '../../core/access/session.ts'
import { Milliseconds, Name, SpaceName } from '../atoms.ts'
import type { FieldWords } from '../words.ts'

/** The record of a token in KV, under the SHA-256 of the token. The token itself is not kept. */
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

export const TOKEN_RECORD_WORDS: FieldWords<typeof TokenRecord> = {
  id: 'The SHA-256 of the token, base64url.',
  subject: 'The holder of the token.',
  space: 'The space that the token opens.',
  scopes: 'The scopes of the token.',
  collections: 'The collections of the token. Null: all.',
  expiresAt: 'When the token expires, ms since 1970, or null.',
  name: "The operator's name for the token.",
  createdAt: 'When the token was minted, ms since 1970.',
}
