import { decodeJwt, decodeProtectedHeader, errors, type JWTPayload, jwtVerify } from 'jose'
import { ALGORITHMS, type Claims, grantOf, type IdentityProvider } from '../../core/access/identity.ts'
import type { Grant } from '../../core/access/session.ts'
import { IDENTITY_CLOCK_TOLERANCE_SECONDS, MAX_IDENTITY_AGE_SECONDS } from '../../core/values/limits.ts'
import { refusal, unwrap } from '../exchange/refusal.ts'
import { currentConfig } from '../kv/config-store.ts'
import { grantTo } from './grant.ts'
import { keyFrom } from './key-set.ts'

/** The compact form of a signed token (RFC 7515, 7.1). */
const SIGNED = /^[\w-]+\.[\w-]+\.[\w-]+$/

/** What a bearer token may call itself (RFC 7519, 5.1; RFC 9068, 2.1). Other kinds, a session of ours too, are none. */
const TYPES = ['jwt', 'at+jwt', 'application/at+jwt', 'application/jwt']

/** Whether a text has the form of an identity provider's token: no API token has. */
export function isIdentityToken(text: string): boolean {
  return SIGNED.test(text)
}

/**
 * What the token of an identity provider gives its holder. Nothing is read for a token that no provider could have
 * made, nothing fetched for one of a provider that the configuration does not name.
 */
export async function identify(token: string, env: Env): Promise<Grant> {
  const issuer = claimedIssuer(token)
  const { identityProviders } = issuer === null ? { identityProviders: [] } : await currentConfig(env)
  const provider = identityProviders.find((provider) => provider.issuer === issuer)
  if (provider === undefined) throw invalid('its issuer, type or algorithm')
  const claims = await verify(token, provider)
  return grantTo(unwrap(grantOf(provider, claims, Date.now())))
}

/** Who a token says has issued it; null if it is none that could be valid. Nothing of it is verified yet. */
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
    if (cause instanceof errors.JWTExpired) throw invalid('it is too old; get a new one')
    if (cause instanceof errors.JWTClaimValidationFailed)
      throw invalid(`its claim ${JSON.stringify(cause.claim)}`)
    if (cause instanceof errors.JWKSNoMatchingKey)
      throw invalid('its key (kid), which is not among those of the provider')
    if (cause instanceof errors.JOSEError) throw invalid('its signature')
    throw cause
  }
}

/** jose has made sure that both are numbers. No tolerance here: a session cannot begin after its end. */
function unexpired(payload: JWTPayload): Claims {
  const { iat = 0, exp = 0 } = payload
  if (exp * 1000 <= Date.now()) throw new errors.JWTExpired('it has expired', payload)
  return { ...payload, iat, exp }
}

function invalid(what: string): Error {
  const detail = `The token of the identity provider is not valid here: ${what}.`
  return refusal({ code: 'unauthorized', detail })
}
