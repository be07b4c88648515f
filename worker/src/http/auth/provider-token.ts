import { decodeJwt, decodeProtectedHeader, type JWTPayload, jwtVerify } from 'jose'
import { JOSEError, JWKSNoMatchingKey, JWTClaimValidationFailed, JWTExpired } from 'jose/errors'
import { ALGORITHMS, type Claims, grantOf, type IdentityProvider } from '../../core/access/identity.ts'
import type { Grant } from '../../core/access/session.ts'
import {
  IDENTITY_CLOCK_TOLERANCE_SECONDS,
  MAX_IDENTITY_AGE_SECONDS,
} from '../../core/values/access-limits.ts'

import { refusal, unwrap } from '../exchange/refusal.ts'
import { currentConfig } from '../kv/config-store.ts'
import { subjectGrant } from './grant.ts'
import { keyFrom } from './key-set.ts'

/** The compact form of a signed token (RFC 7515, 7.1). */
const SIGNED = /^[\w-]+\.[\w-]+\.[\w-]+$/

/**
 * The types of a bearer token (RFC 7519, 5.1; RFC 9068, 2.1). Other types, such as a session of this service, are
 * refused.
 */
const TYPES = ['jwt', 'at+jwt', 'application/at+jwt', 'application/jwt']

/** Whether a text has the form of an identity provider's token. No API token has this form. */
export function isIdentityToken(text: string): boolean {
  return SIGNED.test(text)
}

/**
 * The grant of an identity provider's token. Malformed tokens are refused before anything is read, and tokens of an
 * unknown provider before anything is fetched.
 */
export async function identify(token: string, env: Env): Promise<Grant> {
  const issuer = claimedIssuer(token)
  const { identityProviders } = issuer === null ? { identityProviders: [] } : await currentConfig(env)
  const provider = identityProviders.find((provider) => provider.issuer === issuer)
  if (provider === undefined) throw invalid('its issuer, type or algorithm is not accepted')
  const claims = await verify(token, provider)
  return subjectGrant(unwrap(grantOf(provider, claims, Date.now())))
}

/** The issuer that a token claims; null for a token that cannot be valid. Nothing is verified yet. */
function claimedIssuer(token: string): string | null {
  try {
    const { alg, typ = 'JWT' } = decodeProtectedHeader(token)
    const { iss } = decodeJwt(token)
    const possible = ALGORITHMS.some((algorithm) => algorithm === alg) && TYPES.includes(typ.toLowerCase())
    return possible && typeof iss === 'string' ? iss : null
  } catch {
    return null
  }
}

async function verify(
  token: string,
  { issuer, audiences, algorithms, jwksUrl }: IdentityProvider,
): Promise<Claims> {
  try {
    const { payload } = await jwtVerify(token, keyFrom(jwksUrl), {
      issuer,
      audience: [...audiences],
      algorithms: [...algorithms],
      requiredClaims: ['sub', 'exp'],
      maxTokenAge: MAX_IDENTITY_AGE_SECONDS,
      clockTolerance: IDENTITY_CLOCK_TOLERANCE_SECONDS,
    })
    return unexpired(payload)
  } catch (cause) {
    if (cause instanceof JWTExpired)
      throw invalid('it has expired or is too old. Get a new one from the provider')
    if (cause instanceof JWTClaimValidationFailed)
      throw invalid(`its claim ${JSON.stringify(cause.claim)} is not accepted`)
    if (cause instanceof JWKSNoMatchingKey) throw invalid('the provider has no key with its kid')
    if (cause instanceof JOSEError) throw invalid('its signature does not verify')
    throw cause
  }
}

/** jose ensures that both are numbers. There is no tolerance, because a session cannot begin after its end. */
function unexpired(payload: JWTPayload): Claims {
  const { iat = 0, exp = 0 } = payload
  if (exp * 1000 <= Date.now()) throw new JWTExpired('it has expired', payload)
  return { ...payload, iat, exp }
}

function invalid(reason: string): Error {
  const detail = `The token of the identity provider is not valid here: ${reason}.`
  return refusal({ code: 'unauthorized', detail })
}
