import * as z from 'zod/mini'
import type { Json } from '../src/core/values/json.ts'
import type { NamedShape } from './shapes/named-shape.ts'
import { SCHEMAS, type SchemaName } from './shapes/schemas.ts'

type Fields = Readonly<Record<string, Json>>
type JsonSchema = z.core.JSONSchema.BaseSchema
type Schemas = Readonly<Record<string, JsonSchema>>

/**
 * The schemas of the document, by their names. `io: 'input'` describes what the Worker accepts, and leaves replies open,
 * because a client must ignore unknown fields.
 */
export function namedSchemas(): Fields {
  const registry = z.registry<{ id: string }>()
  const shapes = Object.entries<NamedShape>(SCHEMAS)
  for (const [id, { schema }] of shapes) registry.add(schema, { id })
  const { schemas } = z.toJSONSchema(registry, { uri: refTo, io: 'input' })
  return Object.fromEntries(shapes.map(([id, shape]) => [id, schemaObject(schemas, id, shape)]))
}

/** The description of a named schema. */
export function descriptionOf(name: SchemaName): string {
  const { schema, description }: NamedShape = SCHEMAS[name]
  return description ?? z.globalRegistry.get(schema)?.description ?? ''
}

function refTo(id: string): string {
  return `#/components/schemas/${id}`
}

function schemaObject(schemas: Schemas, id: string, shape: NamedShape): Json {
  const { fields = {}, extensions, base, closed, discriminator } = shape
  const { $schema, $id, description, ...schema } = schemas[id] ?? {}
  return toJson({
    description: shape.description ?? description,
    ...extensions,
    ...(base !== undefined && { allOf: [{ $ref: refTo(base) }] }),
    ...schema,
    ...withWords(schema, fields),
    ...(closed && { unevaluatedProperties: false }),
    ...(discriminator !== undefined && {
      discriminator: {
        propertyName: discriminator,
        // The schema of a code has the name of the code, which is all the mapping that it needs.
        ...(discriminator !== 'code' && { mapping: mappingOf(schemas, id, discriminator) }),
      },
    }),
  })
}

/** The properties of a schema with descriptions. Empty if the schema has no properties. */
function withWords(
  { properties }: JsonSchema,
  words: Readonly<Record<string, string>>,
): { readonly properties?: object } {
  if (properties === undefined) return {}
  const described = Object.entries(properties).map(([name, field]) => [
    name,
    words[name] === undefined ? field : { ...toObject(field), description: words[name] },
  ])
  return { properties: Object.fromEntries(described) }
}

/** The members of a union by the values of the field that distinguishes them. */
function mappingOf(schemas: Schemas, id: string, discriminator: string): Fields {
  const members = (schemas[id]?.oneOf ?? []).map(({ $ref = '' }) => $ref.slice($ref.lastIndexOf('/') + 1))
  return Object.fromEntries(
    members.flatMap((member) =>
      valuesOf(schemas[member]?.properties?.[discriminator]).map((value) => [value, refTo(member)]),
    ),
  )
}

function valuesOf(field: z.core.JSONSchema._JSONSchema | undefined): readonly string[] {
  return typeof field === 'object' ? (field.enum ?? [field.const]).map(String) : []
}

/** An unconstrained schema is `true` or `{}`. */
export function toObject(schema: z.core.JSONSchema._JSONSchema): object {
  return typeof schema === 'object' ? schema : {}
}

/** A class of characters that needs the flag `u`, which JSON Schema does not require. */
const CONTROLS = /\\p\{Cc\}\\p\{Cs\}/g

/** Turns the schemas of zod into plain JSON. */
export function toJson(value: object): Json {
  return JSON.parse(
    JSON.stringify(value, (_, part) => (isNever(part) ? false : isSchema(part) ? plain(part) : part)),
  )
}

/** `{"not": {}}`. Generators take it for anything, but know it as `false`. */
function isNever(part: unknown): boolean {
  return JSON.stringify(part) === '{"not":{}}'
}

function isSchema(part: unknown): part is JsonSchema {
  return typeof part === 'object' && part !== null && 'type' in part && typeof part.type === 'string'
}

/**
 * A schema that generators and linters read alike. Its pattern means the same with and without the flag `u`, because a
 * JSON text has no lone surrogates anyway. An integer without bounds of its own needs 64 bits in most languages.
 */
function plain({ pattern, minimum, maximum, ...rest }: JsonSchema): object {
  const isWide = rest.type === 'integer' && maximum === Number.MAX_SAFE_INTEGER
  const hasLeast = minimum !== undefined && minimum !== Number.MIN_SAFE_INTEGER
  return {
    ...rest,
    ...(isWide ? { format: 'int64' } : maximum !== undefined && { maximum }),
    ...(hasLeast && { minimum }),
    ...(pattern !== undefined && { pattern: pattern.replace(CONTROLS, '\\u0000-\\u001f\\u007f-\\u009f') }),
  }
}
