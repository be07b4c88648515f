import * as z from 'zod/mini'
import { TokenRecord } from './token.ts'

/** The reply of `POST /api/tokens`: the only one that holds the token, but for the next. */
export const TokenReply = z.extend(TokenRecord, { success: z.literal(true), token: z.string() })

/** The reply of `POST /api/tokens/{id}/rotate`: a new token, and the id of the old one. */
export const RotateReply = z.extend(TokenReply, { replaces: z.string() })

/** The reply of `GET /api/tokens`. */
export const TokensReply = z.object({ tokens: z.array(TokenRecord), next: z.nullable(z.string()) })

/** The reply of `DELETE /api/tokens/{id}`. */
export const RevokeReply = z.object({ success: z.literal(true), id: z.string() })
