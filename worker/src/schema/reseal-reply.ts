import * as z from 'zod/mini'

/** The reply of `POST /api/spaces/{id}/reseal`. */
export const ResealReply = z.object({
  success: z.literal(true),
  id: z.string(),
  generation: z.int(),
  done: z.boolean(),
})
