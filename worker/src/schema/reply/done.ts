import * as z from 'zod/mini'

/** The reply to what is done and has nothing to tell. */
export const Done = z.object({ success: z.literal(true) })
