import type * as z from 'zod/mini'
import type { Json } from '../../src/core/values/json.ts'

/** A schema that has a name in the document, and what zod cannot express. */
export interface NamedShape {
  readonly schema: z.ZodMiniType
  /** Replaces the description of the schema. Schemas of requests have no description of their own. */
  readonly description?: string
  /** Descriptions of fields that the schema does not describe. */
  readonly fields?: Readonly<Record<string, string>>
  /** Extensions of OpenAPI: their names begin with `x-`. */
  readonly extensions?: Readonly<Record<`x-${string}`, Json>>
  /** The name of a schema whose fields this one has too. */
  readonly base?: string
  /** Whether fields beyond its own and those of `base` are forbidden, which the schema alone cannot say. */
  readonly closed?: true
  /** The field that distinguishes the members of a union. */
  readonly discriminator?: string
}
