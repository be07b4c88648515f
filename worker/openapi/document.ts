import * as z from 'zod/mini'
import type { FaultCode } from '../src/core/fault.ts'
import type { Json } from '../src/core/values/json.ts'
import { type Advice, REFUSALS } from './codes.ts'
import type { Described } from './described.ts'
import { HEADERS, INFO, PARAMETERS, SECURITY, TAGS } from './info.ts'
import type { Content, Operation, Upgrade } from './operation.ts'
import { OPERATIONS } from './operations.ts'
import { headersOf, problemExamples, refusalResponse, refusalsByStatus, responseName } from './responses.ts'
import { SCHEMAS } from './schemas.ts'

type Fields = Readonly<Record<string, Json>>

/** The OpenAPI document (3.1.1) of the API: made of the schemas and words that the Worker itself uses. */
export async function openApiDocument(version: string): Promise<Fields> {
  const operations = Object.entries<Operation>(OPERATIONS)
  return {
    openapi: '3.1.1',
    info: { ...INFO, version },
    servers: [{ url: '/' }],
    'x-codes': actionsOf(REFUSALS),
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    paths: pathsOf(operations),
    components: {
      schemas: namedSchemas(),
      responses: namedResponses(operations.map(([, operation]) => operation)),
      parameters: PARAMETERS,
      headers: HEADERS,
      examples: await problemExamples(),
      securitySchemes: SECURITY,
    },
  }
}

/** The action of every code, also of those that no operation answers. */
function actionsOf(codes: Readonly<Record<string, Advice>>): Fields {
  return Object.fromEntries(Object.entries(codes).map(([code, [action]]) => [code, action]))
}

function pathsOf(operations: readonly [string, Operation][]): Fields {
  const paths: Record<string, Record<string, Json>> = {}
  for (const [name, operation] of operations) {
    const [method = '', path = ''] = name.split(' ')
    const template = path.replace(/:(\w+)/g, '{$1}')
    paths[template] = { ...paths[template], [method.toLowerCase()]: describe(operation) }
  }
  return paths
}

function describe(operation: Operation): Json {
  const { id, tag, access, summary, description, body } = operation
  const parameters = [
    ...pathParameters(operation),
    ...queryParameters(operation),
    ...(operation.conditional ? [{ $ref: '#/components/parameters/If-None-Match' }] : []),
  ]
  return {
    operationId: id,
    tags: [tag],
    summary,
    description,
    security: access === 'anyone' ? [] : [{ [access]: [] }],
    ...(parameters.length > 0 && { parameters }),
    ...(body !== undefined && { requestBody: { required: true, content: content(body) } }),
    responses: responsesOf(operation),
    ...('socket' in operation.reply && { 'x-websocket': operation.reply.socket }),
  }
}

function pathParameters({ parameters = {} }: Operation): readonly Json[] {
  return Object.entries(parameters).map(([name, description]) => ({
    name,
    in: 'path',
    required: true,
    description,
    schema: { type: 'string' },
  }))
}

/** A client sends what a schema makes of a query: numbers as digits, a list as a parameter for each item. */
function queryParameters({ query }: Operation): readonly Json[] {
  if (query === undefined) return []
  const { properties = {}, required = [] } = z.toJSONSchema(query.schema, { io: 'output' })
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    description: query.fields[name] ?? '',
    schema: toJson(toObject(schema)),
  }))
}

function content(content: Content): Json {
  const { example } = content
  if ('lines' in content) {
    return { 'application/x-ndjson': { schema: { type: 'string', description: content.lines }, example } }
  }
  return { 'application/json': { schema: { $ref: `#/components/schemas/${content.schema}` }, example } }
}

function describeContent(content: Content): string {
  return 'lines' in content ? content.lines : SCHEMAS[content.schema].description
}

function responsesOf(operation: Operation): Json {
  const { reply, conditional } = operation
  const refusals = Array.from(refusalsByStatus(faultsOf(operation)), ([status, codes]) => [
    status,
    { $ref: `#/components/responses/${responseName(codes)}` },
  ])
  return {
    ...(reply.status === 101 ? upgraded(reply) : { [reply.status]: answered(reply, conditional) }),
    ...(conditional && { 304: { $ref: '#/components/responses/not-modified' } }),
    ...Object.fromEntries(refusals),
  }
}

function answered(reply: Content, conditional: true | undefined): Json {
  const tag = conditional ? ['ETag'] : []
  return { description: describeContent(reply), ...headersOf(tag), content: content(reply) }
}

/** A socket over HTTP/1.1, and over HTTP/2 (RFC 8441, 5), where a front takes it so. */
function upgraded({ description, schema, examples }: Upgrade): Fields {
  const shown = Object.entries(examples).map(([name, value]) => [name, { value }])
  const messages = {
    'application/json': {
      schema: { $ref: `#/components/schemas/${schema}` },
      examples: Object.fromEntries(shown),
    },
  }
  return {
    101: { description, content: messages },
    '2XX': { description: 'The same socket over HTTP/2 (RFC 8441).' },
  }
}

const ANY: readonly FaultCode[] = ['invalid-request', 'misconfigured', 'internal']
const ACCESS: Readonly<Record<Operation['access'], readonly FaultCode[]>> = {
  anyone: [],
  admin: ['unauthorized', 'rate-limited'],
  session: [
    'unauthorized',
    'session-expired',
    'session-ended',
    'revoked',
    'space-erased',
    'rate-limited',
    'importing',
    'busy',
  ],
}
const LINES: readonly FaultCode[] = ['not-utf8', 'body-timeout', 'unsupported-media-type', 'invalid-line']
const BODY: readonly FaultCode[] = [
  'not-utf8',
  'not-json',
  'body-timeout',
  'body-too-large',
  'unsupported-media-type',
]

/** What is wrong inside one change of a batch rejects that change; any other body is refused for it. */
const MISFITS: readonly FaultCode[] = ['lone-surrogate', 'too-deep', 'number-out-of-range']

function faultsOf({ access, body, faults }: Operation): readonly FaultCode[] {
  return [...ANY, ...ACCESS[access], ...bodyFaultsOf(body), ...faults]
}

function bodyFaultsOf(body: Operation['body']): readonly FaultCode[] {
  if (body === undefined) return []
  if ('lines' in body) return LINES
  return body.schema === 'SyncRequest' ? BODY : [...BODY, ...MISFITS]
}

function namedResponses(operations: readonly Operation[]): Fields {
  const sets = operations.flatMap((operation) => [...refusalsByStatus(faultsOf(operation)).values()])
  return {
    'not-modified': { description: 'What the client has still holds.', ...headersOf(['ETag']) },
    ...Object.fromEntries(sets.map((codes) => [responseName(codes), refusalResponse(codes)])),
  }
}

/** Read as input: what the Worker takes. Replies are open there, because a client must ignore what it does not know. */
function namedSchemas(): Fields {
  const registry = z.registry<{ id: string }>()
  for (const [id, { schema }] of Object.entries<Described>(SCHEMAS)) registry.add(schema, { id })
  const { schemas } = z.toJSONSchema(registry, { uri: refTo, io: 'input' })
  return Object.fromEntries(
    Object.entries<Described>(SCHEMAS).map(([id, words]) => [id, worded(schemas, { id, words })]),
  )
}

type Schemas = Readonly<Record<string, z.core.JSONSchema.BaseSchema>>

function refTo(id: string): string {
  return `#/components/schemas/${id}`
}

function worded(schemas: Schemas, { id, words }: { readonly id: string; readonly words: Described }): Json {
  const { description, fields, extensions, base, closed, discriminator } = words
  const { $schema, $id, ...schema } = schemas[id] ?? {}
  return toJson({
    description,
    ...extensions,
    ...(base !== undefined && { allOf: [{ $ref: refTo(base) }] }),
    ...schema,
    ...withWords(schema, fields),
    ...(closed && { unevaluatedProperties: false }),
    ...(discriminator !== undefined && {
      discriminator: {
        propertyName: discriminator,
        // The schema of a code has its name, which is all the mapping that there has to be.
        ...(discriminator !== 'code' && { mapping: mappingOf(schemas, { id, discriminator }) }),
      },
    }),
  })
}

/** The properties of a schema with their descriptions; nothing where it has none. */
function withWords(
  { properties }: z.core.JSONSchema.BaseSchema,
  fields: Described['fields'],
): { readonly properties?: object } {
  if (properties === undefined) return {}
  const named = Object.entries(properties).map(([name, field]) => [
    name,
    fields[name] ? { ...toObject(field), description: fields[name] } : field,
  ])
  return { properties: Object.fromEntries(named) }
}

/** The shapes of a union by the values of the field that tells them apart. */
function mappingOf(
  schemas: Schemas,
  { id, discriminator }: { readonly id: string; readonly discriminator: string },
): Fields {
  const shapes = (schemas[id]?.oneOf ?? []).map(({ $ref = '' }) => nameOf($ref))
  return Object.fromEntries(
    shapes.flatMap((shape) =>
      valuesOf(schemas, { id: shape, discriminator }).map((value) => [value, refTo(shape)]),
    ),
  )
}

function valuesOf(
  schemas: Schemas,
  { id, discriminator }: { readonly id: string; readonly discriminator: string },
): readonly string[] {
  const field = schemas[id]?.properties?.[discriminator]
  return typeof field === 'object' ? (field.enum ?? [field.const]).map(String) : []
}

function nameOf(ref: string): string {
  return ref.slice(ref.lastIndexOf('/') + 1)
}

/** A schema of nothing is `true` or `{}`. */
function toObject(schema: z.core.JSONSchema._JSONSchema): object {
  return typeof schema === 'object' ? schema : {}
}

/** A class of characters that is one only under the flag `u`, which JSON Schema leaves open. */
const CONTROLS = /\\p\{Cc\}\\p\{Cs\}/g

/** As JSON, which is less than what zod makes. */
function toJson(value: object): Json {
  return JSON.parse(
    JSON.stringify(value, (_, part) => (isNever(part) ? false : isSchema(part) ? plain(part) : part)),
  )
}

/** `{"not": {}}`, which generators take for anything: they know it as `false`. */
function isNever(part: unknown): boolean {
  return JSON.stringify(part) === '{"not":{}}'
}

function isSchema(part: unknown): part is z.core.JSONSchema.BaseSchema {
  return typeof part === 'object' && part !== null && 'type' in part && typeof part.type === 'string'
}

/**
 * A schema that generators and linters read alike. A pattern says the same with and without the flag `u`: no surrogate
 * stands alone in a JSON text anyway. An integer without bounds of its own needs 64 bits in most languages.
 */
function plain({ pattern, minimum, maximum, ...rest }: z.core.JSONSchema.BaseSchema): object {
  const isWide = rest.type === 'integer' && maximum === Number.MAX_SAFE_INTEGER
  const hasLeast = minimum !== undefined && minimum !== Number.MIN_SAFE_INTEGER
  return {
    ...rest,
    ...(isWide ? { format: 'int64' } : maximum !== undefined && { maximum }),
    ...(hasLeast && { minimum }),
    ...(pattern !== undefined && { pattern: pattern.replace(CONTROLS, '\\u0000-\\u001f\\u007f-\\u009f') }),
  }
}
