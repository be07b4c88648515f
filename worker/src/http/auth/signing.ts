import { type JWTHeaderParameters, type JWTPayload, jwtVerify, type SignJWT } from 'jose'
import { JOSEError, JWKSNoMatchingKey, JWTExpired } from 'jose/errors'
import { parseGenerations } from '../../core/values/generations.ts'

/**
 * The form that `sign` writes: base64url, with the canonical encoding of a 32-byte signature. Decoders ignore white
 * space, padding and the spare bits of the last character, so altered texts would pass for the same token.
 */
const FORM = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/

const encoder = new TextEncoder()

/** The result of verifying a token: its claims, or why it is no longer valid or never was. */
export type Verified =
  | { readonly is: 'valid'; readonly payload: JWTPayload }
  | { readonly is: 'expired' | 'invalid' }

/** Signs claims as a token of type `typ`, which only this environment's Workers issue and accept. */
export async function sign(claims: SignJWT, typ: string, env: Env): Promise<string> {
  const [newest] = await signingKeys(env)
  return claims
    .setProtectedHeader({ alg: 'HS256', typ, kid: newest.kid })
    .setIssuer(issuer(env))
    .sign(newest.key)
}

/** Verifies a token of type `typ`. Malformed tokens are refused without a signature check. */
export async function verify(token: string, typ: string, env: Env): Promise<Verified> {
  if (!FORM.test(token)) return { is: 'invalid' }
  try {
    const keys = await signingKeys(env)
    const { payload } = await jwtVerify(token, (header) => keyFor(header, keys), {
      algorithms: ['HS256'],
      issuer: issuer(env),
      typ,
    })
    return { is: 'valid', payload }
  } catch (cause) {
    if (cause instanceof JWTExpired) return { is: 'expired' }
    // Any other error is a defect of the service.
    if (!(cause instanceof JOSEError)) throw cause
    return { is: 'invalid' }
  }
}

function issuer({ ENVIRONMENT }: Env): string {
  return `chronicle-sync/${ENVIRONMENT}`
}

/** One generation of the signing key. */
interface SigningKey {
  readonly kid: string
  readonly key: CryptoKey
}

type SigningKeys = readonly [newest: SigningKey, ...older: SigningKey[]]

function keyFor({ kid }: JWTHeaderParameters, keys: SigningKeys): CryptoKey {
  const found = keys.find((key) => key.kid === kid)
  if (found === undefined) throw new JWKSNoMatchingKey()
  return found.key
}

/** Keys by secret, imported once per isolate: importing a key costs more than verifying a token. */
const imported = new Map<string, Promise<SigningKeys>>()

function signingKeys({ SESSION_KEY }: Env): Promise<SigningKeys> {
  const known = imported.get(SESSION_KEY) ?? importKeys(SESSION_KEY)
  imported.set(SESSION_KEY, known)
  return known
}

async function importKeys(text: string): Promise<SigningKeys> {
  const ring = parseGenerations(text)
  if (ring === null) throw new Error('SESSION_KEY is no ring like "1:<secret>"')
  const hmac = { name: 'HMAC', hash: 'SHA-256' }
  const [newest, ...older] = ring.map(async ({ generation, secret }) => ({
    kid: String(generation),
    key: await crypto.subtle.importKey('raw', encoder.encode(secret), hmac, false, ['sign', 'verify']),
  }))
  return [(await newest) as SigningKey, ...(await Promise.all(older))]
}
