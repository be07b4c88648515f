import * as z from 'zod/mini'
import { TokenRecord } from '../stored/token.ts'
import { field, named, object } from './described.ts'

const NewToken = {
  success: z.literal(true),
  token: field('The token. It is not stored.', z.string()),
}

/** A token as replies show it: its record, and the id of the object of its space. */
export const ShownToken = named(
  'The record of a token.',
  z.extend(TokenRecord, { spaceId: field("The id of the space's object.", z.string()) }),
)
export type ShownToken = z.infer<typeof ShownToken>

/** The reply of `POST /api/tokens`. Only this reply and the one of a rotation contain the token. */
export const TokenReply = named('A new token. No later reply shows it.', z.extend(ShownToken, NewToken))

/** The reply of `POST /api/tokens/{id}/rotate`: the new token, and the id of the old one. */
export const RotateReply = named(
  'The new token. No later reply shows it.',
  z.extend(ShownToken, {
    ...NewToken,
    replaces: field('The `id` of the old token.', z.string()),
  }),
)

/** The reply of `GET /api/tokens`. */
export const TokensReply = object('A page of tokens.', {
  tokens: field('The records of the tokens.', z.array(ShownToken)),
  next: field('The `cursor` of the next page, or null.', z.nullable(z.string())),
})

/** The reply of `DELETE /api/tokens/{id}`. */
export const RevokeReply = object('The token is revoked.', {
  success: z.literal(true),
  id: field('The id of the revoked token.', z.string()),
})
