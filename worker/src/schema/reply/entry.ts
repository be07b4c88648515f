import * as z from 'zod/mini'
import { AnyJson, Milliseconds, Opaque } from '../atoms.ts'

/** The fields of every entry. */
export const EntryFields = z.object({
  key: z.string(),
  timestamp: Milliseconds,
  version: Opaque,
  by: z.string(),
})

/** The further fields of a key that holds a value. */
export const LiveEntry = z.object({ value: AnyJson, deleted: z.optional(z.literal(false)) })

/** The further fields of a key that was deleted. */
export const DeletedEntry = z.object({ deleted: z.literal(true), value: z.optional(AnyJson) })

/** Where a key stands: a line of `changes`. */
export const Entry = z.xor([LiveEntry, DeletedEntry])
