import { UserError } from '../../cli/user-error.ts'

/** A reply of the service. The body is parsed if it is JSON. */
export interface Reply {
  readonly status: number
  readonly headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: the checks read replies like an untyped client
  readonly body: any
}

export interface Call {
  readonly bearer?: string
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** The time in which the service must reply. */
const DEADLINE_MS = 10_000

/** Sends a request like any client. Rejects with one line if the service does not answer. */
export async function callApi(
  api: string,
  request: string,
  { bearer, body, headers }: Call = {},
): Promise<Reply> {
  const response = await fetchApi(api, request, {
    signal: AbortSignal.timeout(DEADLINE_MS),
    headers: {
      ...headers,
      ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  const text = await response.text().catch((cause: Error) => failed(api, request, cause))
  return { status: response.status, headers: response.headers, body: parse(text) }
}

/** Sends a request and returns the response with its body unread. */
export async function fetchApi(api: string, request: string, init: RequestInit): Promise<Response> {
  const [method = 'GET', path = '/'] = request.split(' ')
  return fetch(api + path, { ...init, method }).catch((cause: Error) => failed(api, request, cause))
}

/** The body of a successful reply. Throws if the service refused the request. */
export function bodyOf(request: string, { status, body }: Reply): Reply['body'] {
  if (status < 300) return body
  throw new UserError(`${request} answered ${status}: ${body?.detail ?? body}`)
}

/** A request without an answer, or with an incomplete one. */
export class NoAnswer extends UserError {}

function failed(api: string, request: string, cause: Error): never {
  // The tool was interrupted, so nobody waits for the answer.
  if (cause.name === 'AbortError') throw cause
  throw new NoAnswer(`${request}: no answer from ${api} (${reasonOf(cause)})`)
}

function reasonOf({ message, cause }: Error): string {
  return cause instanceof Error ? cause.message || cause.name : message
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
