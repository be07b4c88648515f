import { type Schema, Validator } from '@cfworker/json-schema'
import document from '../../docs/openapi.json' with { type: 'json' }
import { credentialsIn } from './secrets.ts'

interface Header {
  readonly required: boolean
  readonly schema: Schema
}

interface Ref {
  readonly $ref: string
}

interface Described {
  readonly headers?: Readonly<Record<string, Ref>>
  readonly content?: Readonly<
    Record<string, { readonly schema: { readonly $ref?: string; readonly oneOf?: readonly Ref[] } }>
  >
}

type Responses = Readonly<Record<string, Described | Ref>>
type Paths = Readonly<Record<string, Readonly<Record<string, { readonly responses: Responses } | undefined>>>>

const PATHS: Paths = document.paths as never
const RESPONSES: Readonly<Record<string, Described>> = document.components.responses as never
const HEADERS: Readonly<Record<string, Header>> = document.components.headers as never

/** Codes of the edge where no operation is documented. */
const ELSEWHERE = [
  'forbidden-origin',
  'not-found',
  'method-not-allowed',
  'invalid-request',
  'misconfigured',
  'internal',
]

const NDJSON = 'application/x-ndjson'
const PROBLEM = 'application/problem+json'

/** Field with the credential in each reply that issues one ([SC8]). */
const GIVEN: Readonly<Record<string, string>> = {
  'POST /api/auth': 'session',
  'POST /api/live/ticket': 'ticket',
  'POST /api/sessions': 'session',
  'POST /api/tokens': 'token',
  'POST /api/tokens/{id}/rotate': 'token',
}

const COMMON_HEADERS = ['x-request-id', 'cache-control', 'vary', 'x-content-type-options']

/**
 * Throws unless docs/openapi.json describes the response exactly: status, content type, headers and body, without unnamed
 * fields. Also throws if the response holds a credential that it should not issue. Returns the response unread.
 */
export async function documented(request: Request, response: Response): Promise<Response> {
  const { pathname } = new URL(request.url)
  const isSocket = response.status === 101
  // An open socket has no body. Streamed bodies are read by the test as they arrive.
  const isUnread = isSocket || response.headers.get('content-type') === NDJSON
  const answer = { response, text: isUnread ? '' : await response.clone().text() }
  const found = [
    ...(isSocket ? [] : discrepancies(request.method, pathname, answer)),
    ...leaks(`${request.method} ${patternOf(pathname)}`, answer),
  ]
  if (found.length === 0) return response
  throw new Error(
    `${request.method} ${pathname} ${response.status} is not as documented:\n${found.join('\n')}\n${answer.text}`,
  )
}

/** Fetches a response that must be as documented. */
export async function fetchDocumented(url: string, init: RequestInit): Promise<Response> {
  return documented(new Request(url, { method: init.method ?? 'GET' }), await fetch(url, init))
}

interface Answer {
  readonly response: Response
  readonly text: string
}

function discrepancies(method: string, pathname: string, answer: Answer): readonly string[] {
  const { headers, status } = answer.response
  const missing = COMMON_HEADERS.filter((name) => !headers.has(name)).map((name) => `header ${name}: missing`)
  const responses = operationOf(method, pathname)?.responses
  if (responses === undefined) return [...missing, ...undescribed(answer)]
  const response = responses[status]
  if (response === undefined) return [...missing, `status ${status}: not described`]
  return [...missing, ...compare(resolve(response), method, answer)]
}

/** Returns a path as the document names it. */
function patternOf(pathname: string): string {
  return pathname.replace(/(?<=\/tokens\/)[^/]+(?=\/rotate$)/, '{id}')
}

/** Lists the kinds of credentials in a reply, except the one that it issues. */
function leaks(operation: string, { response, text }: Answer): readonly string[] {
  // The examples of the document are no real credentials.
  if (operation === 'GET /api/openapi.json') return []
  const field = GIVEN[operation]
  const rest = field === undefined ? text : text.replace(String(JSON.parse(text)[field]), '')
  const shown = [...Array.from(response.headers, ([name, value]) => `${name}: ${value}`), rest]
  return credentialsIn(shown.join('\n')).map((kind) => `it shows a ${kind}`)
}

function operationOf(method: string, pathname: string): { readonly responses: Responses } | undefined {
  const path = Object.keys(PATHS).find((template) =>
    new RegExp(`^${template.replace('.', '\\.').replace(/\{\w+\}/g, '[^/]+')}$`).test(pathname),
  )
  return path === undefined ? undefined : PATHS[path]?.[method === 'HEAD' ? 'get' : method.toLowerCase()]
}

function resolve(response: Described | Ref): Described {
  return '$ref' in response ? (RESPONSES[nameOf(response)] as Described) : response
}

function nameOf({ $ref }: Ref): string {
  return $ref.slice($ref.lastIndexOf('/') + 1)
}

function compare(
  { headers = {}, content }: Described,
  method: string,
  { response, text }: Answer,
): readonly string[] {
  const odd = Object.entries(headers).filter(([name, ref]) => {
    const value = response.headers.get(name)
    const { required, schema } = HEADERS[nameOf(ref)] ?? { required: true, schema: false }
    return value === null ? required : !new Validator(schema, '2020-12').validate(value).valid
  })
  const found = odd.map(([name]) => `header ${name}: ${response.headers.get(name) ?? 'missing'}`)
  if (content === undefined) return text === '' ? found : [...found, 'a body']
  const type = response.headers.get('content-type') ?? ''
  const media = content[type] ?? content[type.replace(/;.*/, '')]
  if (media === undefined) return [...found, `content-type ${type}: not described`]
  if (method === 'HEAD') return text === '' ? found : [...found, 'a body']
  const { $ref, oneOf } = media.schema
  const names = (oneOf ?? ($ref === undefined ? [] : [{ $ref }])).map(nameOf)
  const [name] = names
  if (name === undefined) return found
  const body: unknown = JSON.parse(text)
  return [...found, ...(type === PROBLEM ? problems(body, names) : mismatches(name, body))]
}

/** Lists the faults of a problem that must have one of these codes. */
function problems(body: unknown, codes: readonly string[]): readonly string[] {
  const { code } = body as { code?: string }
  return code !== undefined && codes.includes(code) ? mismatches(code, body) : [`code ${code}: not described`]
}

/** Lists the faults of an export. A line other than the header and the end is an entry. */
export function mismatchesOfLines(text: string): readonly string[] {
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  return lines.filter((line) => !('type' in line)).flatMap((line) => mismatches('Entry', line))
}

function undescribed({ response, text }: Answer): readonly string[] {
  if (response.status === 204) return text === '' ? [] : ['a body']
  if (text === '') return []
  return problems(JSON.parse(text), ELSEWHERE)
}

/** The one problem that no operation returns, without a schema of its own. */
const BARE = { 'method-not-allowed': { allOf: [{ $ref: '#/components/schemas/Problem' }] } }

const DEFINITIONS = strictly({ ...document.components.schemas, ...BARE })
const validators = new Map<string, Validator>()

/** Lists the faults of a body by the schema of this name, unnamed fields included. */
export function mismatches(name: string, body: unknown): readonly string[] {
  const known =
    validators.get(name) ?? new Validator({ $ref: `#/$defs/${name}`, $defs: DEFINITIONS }, '2020-12', false)
  validators.set(name, known)
  return known.validate(body).errors.map(({ instanceLocation, error }) => `${instanceLocation}: ${error}`)
}

/**
 * Returns the schemas as definitions whose objects hold the named fields and no others. A shape that extends another one
 * (`allOf`) is closed as a whole.
 */
function strictly(schemas: object): Record<string, Schema> {
  const named: Record<string, Schema> = JSON.parse(
    JSON.stringify(schemas).replaceAll('#/components/schemas/', '#/$defs/'),
  )
  const bases = Object.values(named).flatMap(({ allOf = [] }) =>
    allOf.map(({ $ref = '' }) => named[nameOf({ $ref })]),
  )
  const parts = new Set(bases)
  return JSON.parse(JSON.stringify(named, (_, part) => (parts.has(part) ? part : closed(part))))
}

function closed(part: unknown): unknown {
  if (typeof part !== 'object' || part === null) return part
  if ('allOf' in part) return { ...part, unevaluatedProperties: false }
  const isOpen = 'properties' in part && 'type' in part && part.type === 'object'
  return isOpen && !('additionalProperties' in part) ? { ...part, additionalProperties: false } : part
}
