import * as z from 'zod/mini'
import { SCOPES } from '../core/access/session.ts'
import { MAX_CLAIM_NAME_LENGTH, MAX_PROVIDER_URL_LENGTH } from '../core/values/access-limits.ts'
import type { Json } from '../core/values/json.ts'
import { MAX_COLLECTIONS, MAX_NAME_LENGTH, MAX_PAGE_ENTRIES } from '../core/values/limits.ts'

/** Refuses a string that is too long, before any other check reads it. */
export function atMost(length: number): z.core.$ZodCheck<string> {
  return z.maxLength(length, { abort: true })
}

/** A replica: an installation on a device, or one tab. */
export const ClientId = z.string().check(z.regex(/^[A-Za-z0-9_-]{1,64}$/, '1 to 64 of A-Z a-z 0-9 _ -'))

/** The version of a client, such as `notes/1.4.2`. */
export const ClientVersion = z
  .string()
  .check(z.regex(/^[\x20-\x7e]{1,64}$/, '1 to 64 printable characters of ASCII'))

/** A subject or space. */
export const Name = z
  .string()
  .check(atMost(MAX_NAME_LENGTH), z.regex(/^[^\p{Cc}\p{Cs}/]+$/u, 'no slash and no control character'))

/** A subject or space of an identity provider, as `identityName` makes it. It is longer than an operator's and has slashes. */
export const IdentityName = z
  .string()
  .check(
    atMost(MAX_PROVIDER_URL_LENGTH + MAX_CLAIM_NAME_LENGTH + 257),
    z.regex(/^https?:\/\/[^\s#]+#[^\s#=]+=[\x20-\x7e]{1,255}$/, 'expected <issuer>#<claim>=<value>'),
  )

/** A space, named by an operator or by an identity provider. */
export const SpaceName = z.union([Name, IdentityName], 'expected a name, or <issuer>#<claim>=<value>')

/** A collection in a filter or a token. Keys may have other collections, which only a reader of all collections sees. */
export const Collection = z
  .string()
  .check(
    atMost(MAX_NAME_LENGTH),
    z.regex(/^[^\p{Cc}\p{Cs}/,]+$/u, 'no slash, no comma and no control character'),
  )

export const Collections = z.array(Collection).check(z.maxLength(MAX_COLLECTIONS))

/** The scopes of a token. */
export const Scopes = z.array(z.enum(SCOPES)).check(z.minLength(1), z.maxLength(SCOPES.length))

/** A version or cursor. Any string is accepted: an unknown version counts as concurrent, an unknown cursor as `reset`. */
export const Opaque = z.string()

/** Milliseconds since 1970. */
export const Milliseconds = z.int().check(z.minimum(0))

export const PageSize = z.int().check(z.minimum(1), z.maximum(MAX_PAGE_ENTRIES))

/** Any JSON. It is not walked, because it comes from `JSON.parse`, and `__proto__` must survive. */
export const AnyJson = z.unknown() as z.ZodMiniType<Json>
