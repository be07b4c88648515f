import * as z from 'zod/mini'
import type { FaultCode } from '../src/core/fault.ts'
import type { Json } from '../src/core/values/json.ts'
import { REFUSALS } from './codes/refusals.ts'
import { HEADERS, INFO, PARAMETERS, SECURITY } from './info.ts'
import type { Content, Operation, Upgrade } from './operations/operation.ts'
import { OPERATIONS } from './operations/operations.ts'
import { TAGS } from './operations/tags.ts'
import { headersOf, problemExamples, refusalResponse, refusalsByStatus, responseName } from './responses.ts'
import { descriptionOf, namedSchemas, toJson, toObject } from './schema-objects.ts'

type Fields = Readonly<Record<string, Json>>

/** The OpenAPI document (3.1.1) of the API, made of the schemas and texts that the Worker itself uses. */
export async function openApiDocument(version: string): Promise<Fields> {
  const operations = Object.entries<Operation>(OPERATIONS)
  return {
    openapi: '3.1.1',
    info: { ...INFO, version },
    servers: [{ url: '/' }],
    'x-codes': actions(),
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

/** The action of every code, including codes that no operation lists. */
function actions(): Fields {
  return Object.fromEntries(Object.entries(REFUSALS).map(([code, [action]]) => [code, action]))
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

/** The schema of a parsed query describes what a client sends: a number as digits, a list as one parameter per item. */
function queryParameters({ query }: Operation): readonly Json[] {
  if (query === undefined) return []
  const { properties = {}, required = [] } = z.toJSONSchema(query.schema, { io: 'output' })
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    description: query.words[name] ?? '',
    schema: toJson(toObject(schema)),
  }))
}

function content(content: Content): Json {
  const { example } = content
  if ('lines' in content) {
    return { 'application/x-ndjson': { schema: { type: 'string', description: content.lines }, example } }
  }
  if ('metrics' in content) {
    return {
      'application/openmetrics-text': { schema: { type: 'string', description: content.metrics }, example },
    }
  }
  return { 'application/json': { schema: { $ref: `#/components/schemas/${content.schema}` }, example } }
}

function describeContent(content: Content): string {
  if ('lines' in content) return content.lines
  return 'metrics' in content ? content.metrics : descriptionOf(content.schema)
}

function responsesOf(operation: Operation): Json {
  const { reply, conditional } = operation
  const refusals = Array.from(refusalsByStatus(faultsOf(operation)), ([status, codes]) => [
    status,
    { $ref: `#/components/responses/${responseName(codes)}` },
  ])
  return {
    ...(reply.status === 101 ? upgraded(reply) : { [reply.status]: success(reply, conditional) }),
    ...(conditional && { 304: { $ref: '#/components/responses/not-modified' } }),
    ...Object.fromEntries(refusals),
  }
}

function success(reply: Content, conditional: true | undefined): Json {
  const tag = conditional ? ['ETag'] : []
  return { description: describeContent(reply), ...headersOf(tag), content: content(reply) }
}

/** A socket over HTTP/1.1, and over HTTP/2 (RFC 8441, 5) if a front end supports that. */
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
  monitor: ['unauthorized', 'forbidden-scope', 'rate-limited'],
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

/** Faults that refuse any body but a batch: there they reject only the change that has them. */
const MISFITS: readonly FaultCode[] = ['lone-surrogate', 'too-deep', 'number-out-of-range']

function faultsOf({ access, body, faults }: Operation): readonly FaultCode[] {
  return [...ANY, ...ACCESS[access], ...bodyFaultsOf(body), ...faults]
}

function bodyFaultsOf(body: Operation['body']): readonly FaultCode[] {
  if (body === undefined) return []
  if (!('schema' in body)) return LINES
  return body.schema === 'SyncRequest' ? BODY : [...BODY, ...MISFITS]
}

function namedResponses(operations: readonly Operation[]): Fields {
  const sets = operations.flatMap((operation) => [...refusalsByStatus(faultsOf(operation)).values()])
  return {
    'not-modified': { description: 'Nothing has changed.', ...headersOf(['ETag']) },
    ...Object.fromEntries(sets.map((codes) => [responseName(codes), refusalResponse(codes)])),
  }
}
