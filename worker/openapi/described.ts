import type * as z from 'zod/mini'
import type { Json } from '../src/core/values/json.ts'

/** A shape of the wire with the words that its schema has no place for: none of its fields goes without. */
export interface Described {
  readonly schema: z.ZodMiniType
  readonly description: string
  readonly fields: Readonly<Record<string, string>>
  /** Members that are ours: their names begin with `x-`. */
  readonly extensions?: Readonly<Record<`x-${string}`, Json>>
  /** The name of a shape whose fields it has too. */
  readonly base?: string
  /** Whether it has no fields but those that are named, where the schema of its own fields cannot say so. */
  readonly closed?: true
  /** The field that tells the shapes of a union apart. */
  readonly discriminator?: string
}

/** An object, with a description of each field. */
export function described<Shape extends z.core.$ZodShape>(
  schema: z.ZodMiniObject<Shape>,
  description: string,
  fields: { readonly [Field in keyof Shape]: string },
): Described & { readonly schema: z.ZodMiniObject } {
  return { schema, description, fields: { ...fields } }
}

/** One of several shapes that are described by themselves, and told apart by a field where they have one for that. */
export function oneOf(schema: z.ZodMiniUnion, description: string, discriminator?: string): Described {
  return { schema, description, fields: {}, ...(discriminator !== undefined && { discriminator }) }
}
