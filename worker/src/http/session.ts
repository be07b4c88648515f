import { errors, jwtVerify, SignJWT } from 'jose'
import { MAX_CREDENTIAL_LENGTH } from '../core/limits.ts'
import { SCOPES, type Scope, type Session } from '../core/session.ts'
import { refusal } from './refusal.ts'

const TYPE = 'chronicle-session+jwt'

const encoder = new TextEncoder()

/** A session as the token that clients carry: a JWT that only this environment's Workers make and accept. */
export async function signSession(session: Session, env: Env): Promise<string> {
  const { id, token, subject, space, client, scopes, collections, expiresAt } = session
  return new SignJWT({ tid: token, space, client, scopes, collections })
    .setProtectedHeader({ alg: 'HS256', typ: TYPE })
    .setIssuer(issuer(env))
    .setSubject(subject)
    .setJti(id)
    .setIssuedAt()
    .setExpirationTime(expiresAt)
    .sign(await signingKey(env))
}

/** The session that a request carries. Rubbish is refused here, before any object wakes. */
export async function verifySession(request: Request, env: Env): Promise<Session> {
  const token = bearer(request)
  try {
    const { payload } = await jwtVerify(token, await signingKey(env), {
      algorithms: ['HS256'],
      issuer: issuer(env),
      typ: TYPE,
      requiredClaims: ['sub', 'jti', 'exp'],
    })
    return toSession(payload)
  } catch (cause) {
    if (cause instanceof errors.JWTExpired) throw refusal({ code: 'session-expired' })
    throw refusal({ code: 'unauthorized', detail: hint(token) })
  }
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
      detail: 'Send the header Authorization: Bearer <session>; POST /api/auth gives one.',
    })
  }
  return token
}

function hint(token: string): string {
  return token.startsWith('chr_')
    ? 'This is an API token; exchange it for a session with POST /api/auth and send that.'
    : 'The session is not valid here; open a new one with POST /api/auth.'
}

/** The claims of a token that our own key signed: their shape is what `signSession` wrote. */
function toSession(claims: Record<string, unknown>): Session {
  const { jti, tid, sub, space, client, scopes, collections, exp } = claims as Record<string, string> & {
    scopes: Scope[]
    collections: string[] | null
    exp: number
  }
  return {
    id: jti as string,
    token: tid as string,
    subject: sub as string,
    space: space as string,
    client: client as string,
    scopes: scopes.filter((scope) => SCOPES.includes(scope)),
    collections,
    expiresAt: exp,
  }
}

function issuer({ ENVIRONMENT }: Env): string {
  return `chronicle-sync/${ENVIRONMENT}`
}

/** Imported once for each isolate and secret: importing costs more than verifying. */
const keys = new Map<string, Promise<CryptoKey>>()

function signingKey({ SESSION_KEY }: Env): Promise<CryptoKey> {
  let key = keys.get(SESSION_KEY)
  if (key === undefined) {
    const hmac = { name: 'HMAC', hash: 'SHA-256' }
    key = crypto.subtle.importKey('raw', encoder.encode(SESSION_KEY), hmac, false, ['sign', 'verify'])
    keys.set(SESSION_KEY, key)
  }
  return key
}
