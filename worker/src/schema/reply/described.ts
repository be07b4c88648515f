import * as z from 'zod/mini'

/** A schema that has a name in the OpenAPI document. */
export function named<Schema extends z.ZodMiniType>(description: string, schema: Schema): Schema {
  z.globalRegistry.add(schema, { description })
  return schema
}

/** An object that has a name in the OpenAPI document. */
export function object<Shape extends z.core.$ZodShape>(
  description: string,
  shape: Shape,
): z.ZodMiniObject<Shape, z.core.$strip> {
  return named(description, z.object(shape))
}

/** The schema of one field. It is a copy, because fields share their schemas. */
export function field<Schema extends z.ZodMiniType>(description: string, schema: Schema): Schema {
  return schema.check(z.describe(description))
}
