import * as z from 'zod/mini'

/** The reply of `DELETE /api/sessions`. */
export const SessionsReply = z.object({ success: z.literal(true), subject: z.string(), space: z.string() })
