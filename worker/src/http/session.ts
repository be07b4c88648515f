import { errors, type JWTHeaderParameters, jwtVerify, SignJWT } from 'jose'
import { MAX_CREDENTIAL_LENGTH } from '../core/limits.ts'
import { parseRing } from '../core/ring.ts'
import type { Session } from '../core/session.ts'
import { parseSession } from '../schema/session.ts'
import { refusal } from './refusal.ts'

const TYPE = 'chronicle-session+jwt'

/**
 * What `signSession` writes: base64url, the signature in the one spelling of its 32 bytes. Decoders forgive white
 * space, padding and the last character's spare bits; what was changed there would pass for the session.
 */
const FORM = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/

const encoder = new TextEncoder()

/** A session as the token that clients carry: a JWT that only this environment's Workers make and accept. */
export async function signSession(session: Session, env: Env): Promise<string> {
  const { id, token, subject, space, client, scopes, collections, issuedAt, expiresAt } = session
  const [newest] = await signingKeys(env)
  return new SignJWT({ tid: token, space, client, scopes, collections })
    .setProtectedHeader({ alg: 'HS256', typ: TYPE, kid: newest.kid })
    .setIssuer(issuer(env))
    .setSubject(subject)
    .setJti(id)
    .setIssuedAt(issuedAt / 1000)
    .setExpirationTime(expiresAt)
    .sign(newest.key)
}

/** The session that a request carries. Rubbish is refused here, before any object wakes. */
export async function verifySession(request: Request, env: Env): Promise<Session> {
  const token = offered(request) ?? bearer(request)
  if (!FORM.test(token)) throw refusal({ code: 'unauthorized', detail: hint(token) })
  try {
    const keys = await signingKeys(env)
    const { payload } = await jwtVerify(token, (header) => keyFor(header, keys), {
      algorithms: ['HS256'],
      issuer: issuer(env),
      typ: TYPE,
    })
    const session = parseSession(payload)
    if (session !== null) return session
  } catch (cause) {
    if (cause instanceof errors.JWTExpired) throw refusal({ code: 'session-expired' })
    // Anything but jose's word on the token is a defect of ours.
    if (!(cause instanceof errors.JOSEError)) throw cause
  }
  throw refusal({ code: 'unauthorized', detail: hint(token) })
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

/**
 * The session among the subprotocols that a socket is opened with, as `bearer.<session>`: the only place where a
 * browser lets a page put it (never the URL, which gets into logs).
 */
function offered(request: Request): string | undefined {
  const names = subprotocols(request)
  return names.find((name) => name.startsWith('bearer.'))?.slice('bearer.'.length, MAX_CREDENTIAL_LENGTH)
}

/** The subprotocols that a client offers (RFC 6455, 11.3.4). */
export function subprotocols({ headers }: Request): readonly string[] {
  const names = headers.get('sec-websocket-protocol')?.split(',') ?? []
  return names.map((name) => name.trim()).filter((name) => name !== '')
}

function hint(token: string): string {
  return token.startsWith('chr_')
    ? 'This is an API token; exchange it for a session with POST /api/auth and send that.'
    : 'The session is not valid here; open a new one with POST /api/auth.'
}

function issuer({ ENVIRONMENT }: Env): string {
  return `chronicle-sync/${ENVIRONMENT}`
}

/** One generation of the key that signs sessions. */
interface SigningKey {
  readonly kid: string
  readonly key: CryptoKey
}

type SigningKeys = readonly [newest: SigningKey, ...older: SigningKey[]]

function keyFor({ kid }: JWTHeaderParameters, keys: SigningKeys): CryptoKey {
  const found = keys.find((key) => key.kid === kid)
  if (found === undefined) throw new errors.JWKSNoMatchingKey()
  return found.key
}

/** Imported once for each isolate and secret: importing costs more than verifying. */
const imported = new Map<string, Promise<SigningKeys>>()

function signingKeys({ SESSION_KEY }: Env): Promise<SigningKeys> {
  const known = imported.get(SESSION_KEY) ?? importKeys(SESSION_KEY)
  imported.set(SESSION_KEY, known)
  return known
}

async function importKeys(text: string): Promise<SigningKeys> {
  const ring = parseRing(text)
  if (ring === null) throw new Error('SESSION_KEY is no ring like "1:<secret>"')
  const hmac = { name: 'HMAC', hash: 'SHA-256' }
  const [newest, ...older] = ring.map(async ({ generation, secret }) => ({
    kid: String(generation),
    key: await crypto.subtle.importKey('raw', encoder.encode(secret), hmac, false, ['sign', 'verify']),
  }))
  return [(await newest) as SigningKey, ...(await Promise.all(older))]
}
