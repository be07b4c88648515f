import * as z from 'zod/mini'
import { IdentityName, SpaceName } from '../atoms.ts'

/** The body of `DELETE /api/sessions`. Without `space`, the space that is named like the subject: its own. */
export const SessionsRequest = z.strictObject({
  subject: IdentityName,
  space: z.optional(SpaceName),
})
