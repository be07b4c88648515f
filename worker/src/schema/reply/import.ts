import * as z from 'zod/mini'
import { field, object } from './described.ts'

/** The reply of `POST /api/import`. */
export const ImportReply = object('The progress of an import.', {
  success: z.literal(true),
  line: field('The number of the last imported line, from 1.', z.int()),
  entries: field('The number of live entries in the space.', z.int()),
  finished: field('Whether the last line of the export was imported.', z.boolean()),
  edited: field('Whether the space has been written to since then.', z.boolean()),
})
