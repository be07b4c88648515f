import { accepted, type Refused, type Result, refused } from '../values/result.ts'
import { SCOPES, type Scope, type SubjectGrant } from './session.ts'

/** How identity providers may sign: asymmetric only (RFC 7518, 3.1; RFC 8037), so that nobody here could. */
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

/** Whose tokens the stack takes, and what their holders get. */
export interface IdentityProvider {
  /** The `iss` of its tokens, to the letter. */
  readonly issuer: string
  /** Of these, `aud` must hold one. */
  readonly audiences: readonly string[]
  /** The only place where its keys come from. */
  readonly jwksUrl: string
  readonly algorithms: readonly Algorithm[]
  /** The most that a token of it allows. */
  readonly scopes: readonly Scope[]
  /** The claim that says which of them its holder has. */
  readonly scopesClaim?: string | undefined
  readonly collections?: readonly string[] | undefined
  /** The claim that names the space within the provider: `sub`, or one that several subjects share. */
  readonly spaceClaim: string
}

/** What a token says, once its signature, issuer, audience and times are verified (RFC 7519, 4.1); in seconds. */
export interface Claims {
  readonly iat: number
  readonly exp: number
  readonly [name: string]: unknown
}

/** What claims name: printable ASCII, as `sub` is (OpenID Connect Core, 2), so that what looks alike is alike. */
const VALUE = /^[\x20-\x7e]+$/
const MAX_VALUE_LENGTH = 255

/** Why a token of a provider gives its holder nothing. */
export type GrantFault =
  | { readonly code: 'unauthorized'; readonly detail: string }
  | { readonly code: 'forbidden-scope'; readonly needed: string }

/**
 * What claims of a provider's token give their holder, or why they give nothing. A token that is bound to a key
 * (`cnf`, RFC 7800) is for those who can check that its holder has it.
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

/** The most that a provider's token can give: sessions are long by it. */
export function longestGrant({ issuer, scopes, spaceClaim, collections }: IdentityProvider): SubjectGrant {
  // A quotation mark is escaped in JSON.
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
 * The name of a provider's subject or space: `<issuer>#<claim>=<value>`. An issuer holds no `#` and a claim no `=`,
 * so that no two of them make the same name; the slashes of the issuer keep it apart from every name that an operator
 * gives.
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

/** As words in a text (RFC 8693, 4.2) or as an array. What the provider's entry does not list is not given. */
function scopesFrom({ scopes, scopesClaim }: IdentityProvider, claims: Claims): readonly Scope[] {
  if (scopesClaim === undefined) return scopes
  const value = claims[scopesClaim]
  const given: readonly unknown[] =
    typeof value === 'string' ? value.split(' ') : Array.isArray(value) ? value : []
  return SCOPES.filter((scope) => scopes.includes(scope) && given.includes(scope))
}

function unusable(claim: string): Refused<GrantFault> {
  const detail = `The token of the identity provider is not valid here: its claim ${JSON.stringify(claim)}.`
  return refused({ code: 'unauthorized', detail })
}
