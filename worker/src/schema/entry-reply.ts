import * as z from 'zod/mini'
import { AnyJson, Milliseconds, Opaque } from './name.ts'

/** Where a key stands: a line of `changes`, and the reply of `GET /api/entries`. */
export const Entry = z.object({
  key: z.string(),
  value: z.optional(AnyJson),
  deleted: z.optional(z.literal(true)),
  timestamp: Milliseconds,
  version: Opaque,
  by: z.string(),
})
