import * as z from 'zod/mini'
import { SCOPES, type Session, type Ticket } from '../../core/access/session.ts'

/** The claims of a session (RFC 7519), as `signSession` writes them. */
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
  clientVersion: z.optional(z.string()),
  operator: z.optional(z.string()),
})

/** The claims of a ticket: those of its session, with an `exp` of its own. `until` is the `exp` of the session. */
const TicketClaims = z.object({ exp: z.number(), ticket: z.string(), until: z.number() })

/** Reads a session from its claims. Null if another version wrote them: the client opens a new session. */
export function parseSession(claims: unknown): Session | null {
  const parsed = Claims.safeParse(claims)
  if (!parsed.success) return null
  const { jti, tid, sub, iat, exp, ...rest } = parsed.data
  return { id: jti, token: tid, subject: sub, issuedAt: iat * 1000, expiresAt: exp, ...rest }
}

/** Reads a ticket from its claims. Null if another version wrote them. */
export function parseTicket(claims: unknown): Ticket | null {
  const session = parseSession(claims)
  const parsed = TicketClaims.safeParse(claims)
  if (session === null || !parsed.success) return null
  const { exp, ticket, until } = parsed.data
  return { id: ticket, expiresAt: exp, session: { ...session, expiresAt: until } }
}
