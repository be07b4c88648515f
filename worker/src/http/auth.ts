import { waitUntil } from 'cloudflare:workers'
import { PUBLISHED_LIMITS } from '../core/limits.ts'
import type { Session } from '../core/session.ts'
import { AuthRequest } from '../schema/auth.ts'
import { parseBody } from '../schema/parse.ts'
import { countAttempt } from './admin.ts'
import { readBody } from './body.ts'
import { type Exchange, json, spaceOf } from './exchange.ts'
import { sessionOf } from './grant.ts'
import { identify, isIdentityToken } from './identity.ts'
import { unwrap } from './refusal.ts'
import { signSession } from './session.ts'
import { findToken } from './token-store.ts'

/**
 * `POST /api/auth`: exchanges a token, an operator's or an identity provider's, for a session. The space itself says
 * whether the token was revoked.
 */
export async function openSession(exchange: Exchange): Promise<Response> {
  const { request, env } = exchange
  await countAttempt(exchange)
  const { token, clientId } = unwrap(parseBody(AuthRequest, await readBody(request)))
  const grant = isIdentityToken(token) ? await identify(token, env) : await findToken(token, env)
  const session = sessionOf(grant, clientId ?? crypto.randomUUID())
  const { epoch, lastBatch } = unwrap(await spaceOf(env, session).admit(session))
  return json({
    success: true,
    session: await signSession(session, env),
    expiresAt: session.expiresAt * 1000,
    clientId: session.client,
    space: session.space,
    // An object of the last release tells neither.
    epoch,
    lastBatch,
    scopes: session.scopes,
    collections: session.collections,
    limits: PUBLISHED_LIMITS,
  })
}

/** `DELETE /api/auth`: ends the session, at once and everywhere. One that has ended already leaves nothing to write. */
export async function closeSession({ env }: Exchange, session: Session): Promise<Response> {
  const ending = endSession(env, session)
  // A user who closes the page right afterwards still wants the session to end.
  waitUntil(ending.catch(() => undefined))
  await ending
  return json({ success: true })
}

async function endSession(env: Env, session: Session): Promise<void> {
  const space = spaceOf(env, session)
  const known = await space.admit(session)
  if (known.ok) await space.revoke(session.id, session.expiresAt * 1000)
}
