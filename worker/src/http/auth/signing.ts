import { errors, type JWTHeaderParameters, type JWTPayload, jwtVerify, type SignJWT } from 'jose'
import { parseGenerations } from '../../core/values/generations.ts'

/**
 * What `sign` writes: base64url, the signature in the one spelling of its 32 bytes. Decoders forgive white space,
 * padding and the last character's spare bits; what was changed there would pass for the same token.
 */
const FORM = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/

const encoder = new TextEncoder()

/** What became of a token that was to be verified: its claims, or why it counts no more, or never did. */
export type Verified =
  | { readonly is: 'valid'; readonly payload: JWTPayload }
  | { readonly is: 'expired' | 'invalid' }

/** Claims as a token of a kind (`typ`), which only this environment's Workers make and accept. */
export async function sign(claims: SignJWT, typ: string, env: Env): Promise<string> {
  const [newest] = await signingKeys(env)
  return claims
    .setProtectedHeader({ alg: 'HS256', typ, kid: newest.kid })
    .setIssuer(issuer(env))
    .sign(newest.key)
}

/** Verifies a token of a kind. Rubbish costs no signature. */
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
    if (cause instanceof errors.JWTExpired) return { is: 'expired' }
    // Anything but jose's word on the token is a defect of ours.
    if (!(cause instanceof errors.JOSEError)) throw cause
    return { is: 'invalid' }
  }
}

function issuer({ ENVIRONMENT }: Env): string {
  return `chronicle-sync/${ENVIRONMENT}`
}

/** One generation of the key that signs. */
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
  const ring = parseGenerations(text)
  if (ring === null) throw new Error('SESSION_KEY is no ring like "1:<secret>"')
  const hmac = { name: 'HMAC', hash: 'SHA-256' }
  const [newest, ...older] = ring.map(async ({ generation, secret }) => ({
    kid: String(generation),
    key: await crypto.subtle.importKey('raw', encoder.encode(secret), hmac, false, ['sign', 'verify']),
  }))
  return [(await newest) as SigningKey, ...(await Promise.all(older))]
}
