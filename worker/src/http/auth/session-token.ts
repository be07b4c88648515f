import { type JWTPayload, SignJWT } from 'jose'
import type { Session } from '../../core/access/session.ts'
import { MAX_CREDENTIAL_LENGTH } from '../../core/values/access-limits.ts'

import { parseSession } from '../../schema/stored/session.ts'
import { refusal } from '../exchange/refusal.ts'
import { recallSession, rememberSession } from './known-sessions.ts'
import { sign, verify } from './signing.ts'

const TYPE = 'chronicle-session+jwt'

/** Signs a session as the token that clients carry: a JWT that only this environment's Workers issue and accept. */
export async function signSession(session: Session, env: Env): Promise<string> {
  return sign(claimsOf(session), TYPE, env)
}

/** The claims of a session, and those of `more`. */
export function claimsOf(session: Session, more: JWTPayload = {}): SignJWT {
  const { id, token, subject, space, client, scopes, collections, issuedAt, expiresAt } = session
  const { clientVersion, operator } = session
  return new SignJWT({ tid: token, space, client, scopes, collections, clientVersion, operator, ...more })
    .setSubject(subject)
    .setJti(id)
    .setIssuedAt(issuedAt / 1000)
    .setExpirationTime(expiresAt)
}

/** The session that a request carries. Malformed tokens are refused here, before an object wakes. */
export async function verifySession(request: Request, env: Env): Promise<Session> {
  const offered = offeredCredential(request, 'bearer')
  // It may be a small part of a long header, which the memory of known sessions would keep whole.
  if (offered !== undefined) return (await verifyToken(offered, env)).session
  const token = bearer(request)
  const known = recallSession(token, env)
  if (known !== undefined) return known
  const { session, isLasting } = await verifyToken(token, env)
  return isLasting ? rememberSession(token, session, env) : session
}

/** The session of a token, and whether nothing but its expiry can make the token invalid. */
async function verifyToken(
  token: string,
  env: Env,
): Promise<{ readonly session: Session; readonly isLasting: boolean }> {
  const verified = await verify(token, TYPE, env)
  if (verified.is === 'expired') throw refusal({ code: 'session-expired' })
  const claims = verified.is === 'valid' ? verified.payload : {}
  const session = parseSession(claims)
  if (session === null) throw refusal({ code: 'unauthorized', detail: hint(token) })
  // A token with a time before which it is not valid is checked each time. This version issues none.
  return { session, isLasting: claims.nbf === undefined }
}

/** The credential in `Authorization: Bearer` (RFC 6750, 2.1). */
export function bearer(request: Request): string {
  const header = request.headers.get('authorization') ?? ''
  const [scheme, token, ...rest] = header.split(' ')
  if (
    scheme?.toLowerCase() !== 'bearer' ||
    !token ||
    rest.length > 0 ||
    token.length > MAX_CREDENTIAL_LENGTH
  ) {
    throw refusal({
      code: 'unauthorized',
      detail: 'Send the header Authorization: Bearer <session>. POST /api/auth opens a session.',
    })
  }
  return token
}

/**
 * The credential among the subprotocols of a socket, as `bearer.<session>` or `ticket.<ticket>`. A browser lets a page
 * put it nowhere else, except in the URL, which ends up in logs.
 */
export function offeredCredential(request: Request, kind: 'bearer' | 'ticket'): string | undefined {
  const names = subprotocols(request)
  const prefix = `${kind}.`
  return names.find((name) => name.startsWith(prefix))?.slice(prefix.length, MAX_CREDENTIAL_LENGTH)
}

/** Whether a credential is among the subprotocols. It takes precedence over `Authorization`. */
export function offersCredential(request: Request): boolean {
  return (
    offeredCredential(request, 'ticket') !== undefined || offeredCredential(request, 'bearer') !== undefined
  )
}

/** The subprotocols that a client offers (RFC 6455, 11.3.4). */
export function subprotocols({ headers }: Request): readonly string[] {
  const offered = headers.get('sec-websocket-protocol')
  if (offered === null) return []
  const names = offered.split(',').map((name) => name.trim())
  return names.filter((name) => name !== '')
}

function hint(token: string): string {
  return token.startsWith('chr_')
    ? 'This is an API token; exchange it for a session with POST /api/auth and send that.'
    : 'The session is not valid here; open a new one with POST /api/auth.'
}
