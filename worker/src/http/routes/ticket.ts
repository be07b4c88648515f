import type { Session, Ticket } from '../../core/access/session.ts'
import { TICKET_TTL_SECONDS } from '../../core/values/socket-limits.ts'

import { parseTicket } from '../../schema/session.ts'
import { claimsOf, offeredCredential } from '../auth/session-token.ts'
import { sign, verify } from '../auth/signing.ts'
import { type Exchange, json, spaceOf } from '../exchange/exchange.ts'
import { refusal, unwrap } from '../exchange/refusal.ts'

const TYPE = 'chronicle-ticket+jwt'

/** `POST /api/live/ticket`: issues a ticket that opens one socket of the session within a minute. */
export async function issueTicket({ env }: Exchange, session: Session): Promise<Response> {
  unwrap(await spaceOf(env, session).ticket(session))
  const expiresAt = Math.min(Math.floor(Date.now() / 1000) + TICKET_TTL_SECONDS, session.expiresAt)
  const ticket = await signTicket({ id: crypto.randomUUID(), expiresAt, session }, env)
  return json({ success: true, ticket, expiresAt: expiresAt * 1000 })
}

/**
 * Signs a ticket as the token that a client offers. It has the session's claims, so that the socket has the session's
 * rights, a shorter life, and an id by which the space knows that it was used.
 */
export async function signTicket({ id, expiresAt, session }: Ticket, env: Env): Promise<string> {
  const claims = claimsOf(session, { ticket: id, until: session.expiresAt })
  return sign(claims.setExpirationTime(expiresAt), TYPE, env)
}

/** The ticket that a socket is opened with; undefined if none is offered. The space checks whether it was used. */
export async function ticketOf(request: Request, env: Env): Promise<Ticket | undefined> {
  const token = offeredCredential(request, 'ticket')
  if (token === undefined) return undefined
  const verified = await verify(token, TYPE, env)
  if (verified.is === 'expired') throw refusal({ code: 'ticket-spent' })
  const ticket = verified.is === 'valid' ? parseTicket(verified.payload) : null
  if (ticket !== null) return ticket
  const detail = 'The ticket is not valid here. POST /api/live/ticket issues a new one.'
  throw refusal({ code: 'unauthorized', detail })
}
