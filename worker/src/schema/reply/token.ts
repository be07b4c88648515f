import * as z from 'zod/mini'
import { TokenRecord } from '../stored/token.ts'

/** What replies show of a token: its record, and the object of its space. */
export const ShownToken = z.extend(TokenRecord, { spaceId: z.string() })
export type ShownToken = z.infer<typeof ShownToken>

/** The reply of `POST /api/tokens`: the only one that holds the token, but for the next. */
export const TokenReply = z.extend(ShownToken, { success: z.literal(true), token: z.string() })

/** The reply of `POST /api/tokens/{id}/rotate`: a new token, and the id of the old one. */
export const RotateReply = z.extend(TokenReply, { replaces: z.string() })

/** The reply of `GET /api/tokens`. */
export const TokensReply = z.object({ tokens: z.array(ShownToken), next: z.nullable(z.string()) })

/** The reply of `DELETE /api/tokens/{id}`. */
export const RevokeReply = z.object({ success: z.literal(true), id: z.string() })
