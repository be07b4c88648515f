import { PUBLISHED_LIMITS, SESSION_TTL_SECONDS } from '../core/limits.ts'
import type { Session } from '../core/session.ts'
import { AuthRequest } from '../schema/auth.ts'
import { parseBody } from '../schema/parse.ts'
import type { TokenRecord } from '../schema/token.ts'
import { readBody } from './body.ts'
import { type Exchange, json, spaceOf } from './exchange.ts'
import { addressOf, countAgainst } from './rate-limit.ts'
import { unwrap } from './refusal.ts'
import { signSession } from './session.ts'
import { findToken } from './token-store.ts'

/** `POST /api/auth`: exchanges a token for a session. The space itself says whether the token was revoked. */
export async function openSession({ request, env }: Exchange): Promise<Response> {
  await countAgainst(env.AUTH_LIMIT, addressOf(request))
  const { token, clientId } = unwrap(parseBody(AuthRequest, await readBody(request)))
  const record = await findToken(token, env)
  const session = sessionOf(record, clientId ?? crypto.randomUUID())
  // The token must be valid, and younger than the space: so it is shown as a session of its own age.
  unwrap(
    await spaceOf(env, session).admit({ id: session.id, token: session.token, issuedAt: record.createdAt }),
  )
  return json({
    success: true,
    session: await signSession(session, env),
    expiresAt: session.expiresAt * 1000,
    clientId: session.client,
    space: session.space,
    scopes: session.scopes,
    collections: session.collections,
    limits: PUBLISHED_LIMITS,
  })
}

/** `DELETE /api/auth`: ends the session, at once and everywhere. */
export async function closeSession({ env }: Exchange, session: Session): Promise<Response> {
  await spaceOf(env, session).revoke(session.id, session.expiresAt * 1000)
  return json({ success: true })
}

/** The session that a token gives a client now. */
export function sessionOf(record: TokenRecord, client: string): Session {
  return {
    id: crypto.randomUUID(),
    token: record.id,
    subject: record.subject,
    space: record.space,
    client,
    scopes: record.scopes,
    collections: record.collections,
    issuedAt: Date.now(),
    expiresAt: expiry(record.expiresAt),
  }
}

/** In seconds; a session does not outlive its token. */
function expiry(tokenExpiresAt: number | null): number {
  const longest = Math.floor(Date.now() / 1000) + SESSION_TTL_SECONDS
  return tokenExpiresAt === null ? longest : Math.min(longest, Math.floor(tokenExpiresAt / 1000))
}
