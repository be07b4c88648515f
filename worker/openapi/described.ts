import type * as z from 'zod/mini'

/** A shape of the wire with the words that its schema has no place for: none of its fields goes without. */
export interface Described {
  readonly schema: z.ZodMiniObject
  readonly description: string
  readonly fields: Readonly<Record<string, string>>
}

export function described<Shape extends z.core.$ZodShape>(
  schema: z.ZodMiniObject<Shape>,
  description: string,
  fields: { readonly [Field in keyof Shape]: string },
): Described {
  return { schema, description, fields: { ...fields } }
}
