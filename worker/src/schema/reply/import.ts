import * as z from 'zod/mini'

/** The reply of `POST /api/import`. */
export const ImportReply = z.object({
  success: z.literal(true),
  line: z.int(),
  entries: z.int(),
  finished: z.boolean(),
  edited: z.boolean(),
})
