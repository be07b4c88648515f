import * as z from 'zod/mini'
import { field, object } from './described.ts'

export const ResealedSpace = object('The progress of one space.', {
  id: field("The id of the space's object.", z.string()),
  state: field(
    '`done`: everything was read and is sealed under the newest key. `pending`: ask again. `failed`: see `unreadable`, or the log.',
    z.enum(['done', 'pending', 'failed']),
  ),
  unreadable: field(
    'The number of chunks that the space cannot read, if that is why it failed.',
    z.optional(z.int()),
  ),
  entries: field('The number of live entries.', z.optional(z.int())),
})
export type ResealedSpace = z.infer<typeof ResealedSpace>

/** The reply of `POST /api/spaces/reseal`. */
export const ResealReply = object('The progress of resealing.', {
  success: z.literal(true),
  generation: field('The generation of the newest master key.', z.int()),
  spaces: field('The spaces, in the order of the request.', z.array(ResealedSpace)),
})
