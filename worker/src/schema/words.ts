import type * as z from 'zod/mini'

/** A description of every field of a schema. A constant needs none. */
export type FieldWords<Schema extends { readonly shape: z.core.$ZodShape }> = {
  readonly [Field in keyof Schema['shape'] as Schema['shape'][Field] extends z.ZodMiniLiteral
    ? never
    : Field]: string
}

/**
 * Descriptions of a schema that the Worker parses with, for the OpenAPI document. They stand beside the schema and not
 * in it: the Worker imports only the schema, so its bundle has no descriptions. Replies are not in the bundle, and
 * describe their fields in place.
 */
export interface Words<Schema extends { readonly shape: z.core.$ZodShape }> {
  readonly description: string
  readonly fields: FieldWords<Schema>
}
