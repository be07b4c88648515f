import * as z from 'zod/mini'
import { ALGORITHMS } from '../../core/access/identity.ts'
import {
  MAX_AUDIENCES,
  MAX_CLAIM_NAME_LENGTH,
  MAX_IDENTITY_PROVIDERS,
  MAX_PROVIDER_URL_LENGTH,
} from '../../core/values/access-limits.ts'

import { atMost, Collections, Scopes } from '../atoms.ts'
import type { Words } from '../words.ts'

/** An https URL, or an http URL of the machine itself. Only a development stack accepts the latter. */
const PROVIDER_URL =
  /^(?:https:\/\/[^\s/?#@]+|http:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?)(?:[/?][^\s#]*)?$/

const ProviderUrl = z.string().check(
  atMost(MAX_PROVIDER_URL_LENGTH),
  z.regex(PROVIDER_URL, 'expected an https:// URL without a fragment'),
  z.refine((url) => URL.canParse(url), 'not a URL'),
)

/** The name of a claim. Some names are URLs. */
const ClaimName = z
  .string()
  .check(atMost(MAX_CLAIM_NAME_LENGTH), z.regex(/^[^\s#=]+$/, 'no white space, no # and no ='))

/** Claims that a holder can change, or that can pass to another holder: they cannot name a space (OpenID Connect Core, 5.7). */
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
    'the holder of the token may be able to choose the value of this claim',
  ),
)

const Audience = z.string().check(z.minLength(1), z.maxLength(MAX_PROVIDER_URL_LENGTH))

/** An identity provider, as an operator configures it. */
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

export const IDENTITY_PROVIDER_WORDS: Words<typeof IdentityProvider> = {
  description:
    "An identity provider whose tokens the stack accepts, and what they grant. In development the URLs may be the machine's own, with http.",
  fields: {
    issuer: 'The exact `iss` of its tokens.',
    audiences: '`aud` must contain one of these.',
    jwksUrl: 'The URL of its keys. Keys from other sources are not used.',
    algorithms: 'The algorithms of its signatures.',
    scopes: 'The most that its tokens grant.',
    scopesClaim:
      'The claim that lists which of `scopes` the holder has: a string of words, or an array. By default all of them.',
    collections: 'The collections of its tokens. Defaults to all.',
    spaceClaim:
      'The claim that names the space. `sub` gives every subject a space of its own; any other claim is shared by all holders with the same value. Holders must not be able to choose the value.',
  },
}

export const IdentityProviders = z.array(IdentityProvider).check(
  z.maxLength(MAX_IDENTITY_PROVIDERS),
  z.refine(
    (providers) => new Set(providers.map(({ issuer }) => issuer)).size === providers.length,
    'two providers have the same issuer',
  ),
)
