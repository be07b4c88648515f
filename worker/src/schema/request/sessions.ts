import * as z from 'zod/mini'
import { IdentityName, SpaceName } from '../atoms.ts'
import type { Words } from '../words.ts'

/** The body of `DELETE /api/sessions`. `space` defaults to the subject's own: the space that has its name. */
export const SessionsRequest = z.strictObject({
  subject: IdentityName,
  space: z.optional(SpaceName),
})

export const SESSIONS_REQUEST_WORDS: Words<typeof SessionsRequest> = {
  description: 'The sessions to end.',
  fields: {
    subject: 'The subject of the sessions: `<issuer>#sub=<sub>`.',
    space: "The space of the sessions. Defaults to the subject's own space.",
  },
}
