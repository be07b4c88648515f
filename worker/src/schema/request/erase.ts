import * as z from 'zod/mini'
import { SpaceName } from '../atoms.ts'
import type { Words } from '../words.ts'

/** The body of `DELETE /api/space`: the name of the space, so that nobody erases one by mistake. */
export const EraseRequest = z.strictObject({ confirm: SpaceName })

export const ERASE_REQUEST_WORDS: Words<typeof EraseRequest> = {
  description: 'A confirmation.',
  fields: { confirm: 'The name of the space, so that nobody erases one by mistake.' },
}
