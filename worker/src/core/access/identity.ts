import { accepted, type Refused, type Result, refused } from '../values/result.ts'
import { SCOPES, type Scope, type SubjectGrant } from './session.ts'

/**
 * The signature algorithms accepted from identity providers. All are asymmetric (RFC 7518, 3.1; RFC 8037), so that the
 * service itself cannot forge a token.
 */
export const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
] as const
export type Algorithm = (typeof ALGORITHMS)[number]

/** An identity provider whose tokens the stack accepts, and the rights that their holders get. */
export interface IdentityProvider {
  /** The `iss` claim of its tokens, compared exactly. */
  readonly issuer: string
  /** The `aud` claim must contain one of these. */
  readonly audiences: readonly string[]
  /** The only URL from which its keys are fetched. */
  readonly jwksUrl: string
  readonly algorithms: readonly Algorithm[]
  /** The upper bound of the scopes that its tokens grant. */
  readonly scopes: readonly Scope[]
  /** The claim that lists which of these scopes the holder has. */
  readonly scopesClaim?: string | undefined
  readonly collections?: readonly string[] | undefined
  /** The claim that names the space within the provider: `sub`, or a claim that several subjects share. */
  readonly spaceClaim: string
}

/**
 * The claims of a token whose signature, issuer, audience and times are verified (RFC 7519, 4.1). Times are in seconds.
 */
export interface Claims {
  readonly iat: number
  readonly exp: number
  readonly [name: string]: unknown
}

/**
 * Values that may name a subject or space: printable ASCII, as `sub` is (OpenID Connect Core, 2), so that no two values
 * look alike.
 */
const VALUE = /^[\x20-\x7e]+$/
const MAX_VALUE_LENGTH = 255

/** The reason why a provider's token grants nothing. */
export type GrantFault =
  | { readonly code: 'unauthorized'; readonly detail: string }
  | { readonly code: 'forbidden-scope'; readonly needed: string }

/**
 * Turns the claims of a provider's token into a grant, or refuses them. A token that is bound to a key (`cnf`, RFC
 * 7800) is refused: only a server that can check the holder's key may accept it.
 */
export function grantOf(
  provider: IdentityProvider,
  claims: Claims,
  now: number,
): Result<SubjectGrant, GrantFault> {
  const subject = nameFrom(provider, claims, 'sub')
  const space = nameFrom(provider, claims, provider.spaceClaim)
  const scopes = scopesFrom(provider, claims)
  if (subject === null) return unusable('sub')
  if (space === null) return unusable(provider.spaceClaim)
  if (claims['cnf'] !== undefined) return unusable('cnf')
  if (scopes.length === 0) return refused({ code: 'forbidden-scope', needed: provider.scopes.join(' or ') })
  return accepted({
    subject,
    space,
    scopes,
    collections: provider.collections ?? null,
    createdAt: Math.min(claims.iat * 1000, now),
    expiresAt: claims.exp * 1000,
  })
}

/** The longest grant that a provider's token can give. Its length bounds the length of a session. */
export function longestGrant({ issuer, scopes, spaceClaim, collections }: IdentityProvider): SubjectGrant {
  // JSON escapes a quotation mark, so this is the longest text of a value.
  const value = '"'.repeat(MAX_VALUE_LENGTH)
  const subject = identityName(issuer, 'sub', value)
  const space = identityName(issuer, spaceClaim, value)
  return {
    subject,
    space,
    scopes,
    collections: collections ?? null,
    createdAt: 0,
    expiresAt: null,
  }
}

/**
 * The name of a provider's subject or space: `<issuer>#<claim>=<value>`. An issuer contains no `#` and a claim no `=`,
 * so two providers never produce the same name. The slashes of the issuer keep it distinct from every name that an
 * operator chooses.
 */
export function identityName(issuer: string, claim: string, value: string): string {
  return `${issuer}#${claim}=${value}`
}

function nameFrom({ issuer }: IdentityProvider, claims: Claims, claim: string): string | null {
  const value = claims[claim]
  return typeof value === 'string' && value.length <= MAX_VALUE_LENGTH && VALUE.test(value)
    ? identityName(issuer, claim, value)
    : null
}

/**
 * Reads the scopes from a space-separated string (RFC 8693, 4.2) or an array. Scopes that the provider's entry does not
 * list are not granted.
 */
function scopesFrom({ scopes, scopesClaim }: IdentityProvider, claims: Claims): readonly Scope[] {
  if (scopesClaim === undefined) return scopes
  const value = claims[scopesClaim]
  const given: readonly unknown[] =
    typeof value === 'string' ? value.split(' ') : Array.isArray(value) ? value : []
  return SCOPES.filter((scope) => scopes.includes(scope) && given.includes(scope))
}

function unusable(claim: string): Refused<GrantFault> {
  const detail = `The token of the identity provider is not valid here: its claim ${JSON.stringify(claim)} is not accepted.`
  return refused({ code: 'unauthorized', detail })
}
