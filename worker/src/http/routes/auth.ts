import { waitUntil } from 'cloudflare:workers'
import type { Grant, Session } from '../../core/access/session.ts'
import { BODY_DEADLINE_MS, PUBLISHED_LIMITS } from '../../core/values/limits.ts'
import { parseBody } from '../../schema/parse.ts'
import { AuthRequest } from '../../schema/request/auth.ts'
import { newSession } from '../auth/grant.ts'
import { identify, isIdentityToken } from '../auth/provider-token.ts'
import { signSession } from '../auth/session-token.ts'
import { readBody } from '../exchange/body.ts'
import { type Exchange, json, spaceOf } from '../exchange/exchange.ts'
import { checkLookUp, countAgainst, countAsFailed } from '../exchange/rate-limit.ts'
import { unwrap } from '../exchange/refusal.ts'
import { checkForm, findToken } from '../kv/token-store.ts'

/**
 * `POST /api/auth`: exchanges a token of an operator or an identity provider for a session. The space itself decides
 * whether the token is revoked.
 */
export async function openSession(exchange: Exchange): Promise<Response> {
  const { env } = exchange
  const { token, clientId, clientVersion } = await readAttempt(exchange).catch((thrown) =>
    countAsFailed(exchange, thrown),
  )
  const grant = await grantOf(token, exchange)
  await countAgainst(env.SYNC_LIMIT, `token:${grant.id}`)
  const session = newSession(grant, clientId ?? crypto.randomUUID(), clientVersion)
  const { epoch, lastBatch } = unwrap(await spaceOf(env, session).admit(session))
  return json({
    success: true,
    session: await signSession(session, env),
    expiresAt: session.expiresAt * 1000,
    clientId: session.client,
    subject: session.subject,
    space: session.space,
    // An object of the previous release returns neither, nor does a damaged space.
    epoch,
    lastBatch,
    scopes: session.scopes,
    collections: session.collections,
    limits: PUBLISHED_LIMITS,
  })
}

/**
 * A malformed body counts like a wrong token. Its sender is unknown, so the body gets ten seconds in total: a stranger
 * must not hold memory by sending slowly.
 */
async function readAttempt({ request }: Exchange) {
  return unwrap(parseBody(AuthRequest, await readBody(request, Date.now() + BODY_DEADLINE_MS)))
}

async function grantOf(token: string, exchange: Exchange): Promise<Grant> {
  const { env } = exchange
  if (isIdentityToken(token)) return identify(token, env)
  checkForm(token, env)
  await checkLookUp(exchange)
  return findToken(token, env)
}

/** `DELETE /api/auth`: ends the session, at once and everywhere. A session that has already ended causes no write. */
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
