import * as z from 'zod/mini'

/** How far one space has come. */
export const ResealedSpace = z.object({
  id: z.string(),
  state: z.enum(['done', 'pending', 'failed']),
  unreadable: z.optional(z.int()),
  entries: z.optional(z.int()),
})
export type ResealedSpace = z.infer<typeof ResealedSpace>

/** The reply of `POST /api/spaces/reseal`. */
export const ResealReply = z.object({
  success: z.literal(true),
  generation: z.int(),
  spaces: z.array(ResealedSpace),
})
