import * as z from 'zod/mini'
import { SCOPES, type Session } from '../core/session.ts'

/** The claims of a session's token (RFC 7519), as `signSession` writes them. */
const Claims = z.object({
  jti: z.string(),
  tid: z.string(),
  sub: z.string(),
  space: z.string(),
  client: z.string(),
  scopes: z.array(z.enum(SCOPES)),
  collections: z.nullable(z.array(z.string())),
  iat: z.number(),
  exp: z.number(),
})

/** The session that claims speak of, or null where they are another version's: its client opens a new one. */
export function parseSession(claims: unknown): Session | null {
  const parsed = Claims.safeParse(claims)
  if (!parsed.success) return null
  const { jti, tid, sub, iat, exp, ...rest } = parsed.data
  return { id: jti, token: tid, subject: sub, issuedAt: iat * 1000, expiresAt: exp, ...rest }
}
