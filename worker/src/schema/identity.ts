import * as z from 'zod/mini'
import { ALGORITHMS } from '../core/access/identity.ts'
import {
  MAX_AUDIENCES,
  MAX_CLAIM_NAME_LENGTH,
  MAX_IDENTITY_PROVIDERS,
  MAX_PROVIDER_URL_LENGTH,
} from '../core/values/limits.ts'
import { atMost, Collections, Scopes } from './name.ts'

/** https; http only of the machine itself, which only a development stack takes. */
const PROVIDER_URL =
  /^(?:https:\/\/[^\s/?#@]+|http:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?)(?:[/?][^\s#]*)?$/

const ProviderUrl = z.string().check(
  atMost(MAX_PROVIDER_URL_LENGTH),
  z.regex(PROVIDER_URL, 'expected an https:// URL without a fragment'),
  z.refine((url) => URL.canParse(url), 'not a URL'),
)

/** The name of a claim; some are URLs. */
const ClaimName = z
  .string()
  .check(atMost(MAX_CLAIM_NAME_LENGTH), z.regex(/^[^\s#=]+$/, 'no white space, no # and no ='))

/** What a holder can change, or another can come to hold, names nobody's data (OpenID Connect Core, 5.7). */
const UNSTABLE_CLAIMS = [
  'email',
  'name',
  'nickname',
  'phone_number',
  'preferred_username',
  'unique_name',
  'upn',
] as const

const SpaceClaim = ClaimName.check(
  z.refine(
    (claim) => !UNSTABLE_CLAIMS.some((unstable) => unstable === claim),
    'whoever holds the token may choose what this claim says',
  ),
)

const Audience = z.string().check(z.minLength(1), z.maxLength(MAX_PROVIDER_URL_LENGTH))

/** An identity provider, as an operator names it. */
export const IdentityProvider = z.strictObject({
  issuer: ProviderUrl,
  audiences: z.array(Audience).check(z.minLength(1), z.maxLength(MAX_AUDIENCES)),
  jwksUrl: ProviderUrl,
  algorithms: z._default(z.array(z.enum(ALGORITHMS)).check(z.minLength(1), z.maxLength(ALGORITHMS.length)), [
    'RS256',
  ]),
  scopes: Scopes,
  scopesClaim: z.optional(ClaimName),
  collections: z.optional(Collections),
  spaceClaim: z._default(SpaceClaim, 'sub'),
})

export const IdentityProviders = z.array(IdentityProvider).check(
  z.maxLength(MAX_IDENTITY_PROVIDERS),
  z.refine(
    (providers) => new Set(providers.map(({ issuer }) => issuer)).size === providers.length,
    'an issuer comes twice',
  ),
)
