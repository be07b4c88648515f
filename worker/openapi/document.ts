import * as z from 'zod/mini'
import type { FaultCode } from '../src/core/fault.ts'
import type { Json } from '../src/core/json.ts'
import type { Described } from './described.ts'
import { HEADERS, INFO, PARAMETERS, SECURITY } from './info.ts'
import type { Content, Operation } from './operation.ts'
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

function pathsOf(operations: readonly [string, Operation][]): Fields {
  const paths: Record<string, Record<string, Json>> = {}
  for (const [name, operation] of operations) {
    const [method = '', path = ''] = name.split(' ')
    const template = path.replace(/:(\w+)/g, '{$1}')
    paths[template] = { ...paths[template], [method.toLowerCase()]: describe(name, operation) }
  }
  return paths
}

function describe(name: string, operation: Operation): Json {
  const { access, summary, description, body } = operation
  const parameters = [
    ...pathParameters(operation),
    ...queryParameters(operation),
    ...(operation.conditional ? [{ $ref: '#/components/parameters/If-None-Match' }] : []),
  ]
  return {
    operationId: operationId(name),
    summary,
    ...(description !== undefined && { description }),
    security: access === 'anyone' ? [] : [{ [access]: [] }],
    ...(parameters.length > 0 && { parameters }),
    ...(body !== undefined && { requestBody: { required: true, content: content(body) } }),
    responses: responsesOf(operation),
  }
}

/** `GET /api/tokens/:id` is `getTokensId`. */
function operationId(name: string): string {
  const [first = '', ...rest] =
    name
      .toLowerCase()
      .replace('/api', '')
      .match(/[a-z]+/g) ?? []
  return first + rest.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('')
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

/** A client sends what a schema makes of a query: numbers as digits, lists with commas. */
function queryParameters({ query }: Operation): readonly Json[] {
  if (query === undefined) return []
  const { properties = {}, required = [] } = z.toJSONSchema(query.schema, { io: 'output' })
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    description: query.fields[name] ?? '',
    ...(typeof schema === 'object' && schema.type === 'array' && { explode: false }),
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
  const tag = conditional ? ['ETag'] : []
  const refusals = Array.from(refusalsByStatus(faultsOf(operation)), ([status, codes]) => [
    status,
    { $ref: `#/components/responses/${responseName(codes)}` },
  ])
  return {
    [reply.status]:
      reply.status === 101
        ? { description: reply.description }
        : { description: describeContent(reply), ...headersOf(tag), content: content(reply) },
    ...(conditional && { 304: { $ref: '#/components/responses/not-modified' } }),
    ...Object.fromEntries(refusals),
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
  const { schemas } = z.toJSONSchema(registry, { uri: (id) => `#/components/schemas/${id}`, io: 'input' })
  return Object.fromEntries(
    Object.entries<Described>(SCHEMAS).map(([id, words]) => [id, worded(schemas[id] ?? {}, words)]),
  )
}

function worded(schema: z.core.JSONSchema.BaseSchema, { description, fields }: Described): Json {
  const { $schema, $id, properties = {}, ...rest } = schema
  const named = Object.entries(properties).map(([name, field]) => [
    name,
    { ...toObject(field), description: fields[name] ?? '' },
  ])
  return toJson({ description, ...rest, properties: Object.fromEntries(named) })
}

/** A schema of nothing is `true` or `{}`. */
function toObject(schema: z.core.JSONSchema._JSONSchema): object {
  return typeof schema === 'object' ? schema : {}
}

/** What zod makes carries more than JSON. */
function toJson(value: object): Json {
  return JSON.parse(JSON.stringify(value))
}
