import * as z from 'zod/mini'
import { SCOPES, type Session, type Ticket } from '../core/access/session.ts'

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

/** The claims of a ticket's token: those of its session, under its own `exp`; `until` is the session's. */
const TicketClaims = z.object({ exp: z.number(), ticket: z.string(), until: z.number() })

/** The session that claims speak of, or null where they are another version's: its client opens a new one. */
export function parseSession(claims: unknown): Session | null {
  const parsed = Claims.safeParse(claims)
  if (!parsed.success) return null
  const { jti, tid, sub, iat, exp, ...rest } = parsed.data
  return { id: jti, token: tid, subject: sub, issuedAt: iat * 1000, expiresAt: exp, ...rest }
}

/** The ticket that claims speak of, or null where they are another version's. */
export function parseTicket(claims: unknown): Ticket | null {
  const session = parseSession(claims)
  const parsed = TicketClaims.safeParse(claims)
  if (session === null || !parsed.success) return null
  const { exp, ticket, until } = parsed.data
  return { id: ticket, expiresAt: exp, session: { ...session, expiresAt: until } }
}
