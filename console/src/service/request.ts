export interface RequestOptions {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Admin token or session. */
  readonly credential?: string | undefined
  /** Sent as JSON. */
  readonly body?: object
  /** Sent as lines of JSON. */
  readonly lines?: Blob
  readonly signal?: AbortSignal | undefined
  /** Whether the request outlives the page. */
  readonly keepalive?: boolean
}

/** A refusal in words: the fields that every problem document of the service has. */
interface Words {
  readonly code: string
  readonly title: string
  readonly detail: string
}

/** Why an act has no result: a problem document of the service, a lost connection, or the console's own reason. */
export class Refusal extends Error {
  /** The HTTP status; 0 without a response. */
  readonly status: number
  readonly code: string
  readonly title: string
  readonly requestId: string | null

  constructor(problem: Words, response?: Response) {
    super(problem.detail)
    this.status = response?.status ?? 0
    this.code = problem.code
    this.title = problem.title
    this.requestId = response?.headers.get('x-request-id') ?? null
  }
}

const OFFLINE: Words = {
  code: 'offline',
  title: 'No connection',
  detail: 'The service cannot be reached. Check the network, then try again.',
}

/** Sends a request, and gives the response if it is a success. Rejects with a `Refusal`. */
export async function send(path: string, options: RequestOptions = {}): Promise<Response> {
  const { method = 'GET', credential, body, lines, signal, keepalive } = options
  const type = lines ? 'application/x-ndjson' : body && 'application/json'
  const response = await fetch(path, {
    method,
    headers: {
      ...(credential !== undefined && { authorization: `Bearer ${credential}` }),
      ...(type && { 'content-type': type }),
    },
    ...((lines ?? body) && { body: lines ?? JSON.stringify(body) }),
    ...(signal && { signal }),
    ...(keepalive && { keepalive }),
  }).catch((error: unknown) => {
    throw signal?.aborted ? error : new Refusal(OFFLINE)
  })
  if (!response.ok) throw new Refusal(await problemOf(response), response)
  return response
}

/** Sends a request, and reads the JSON of the reply. The type of the reply is the one that docs/openapi.json has. */
export async function request<T>(path: string, options?: RequestOptions): Promise<T> {
  const response = await send(path, options)
  return response.json() as Promise<T>
}

async function problemOf(response: Response): Promise<Words> {
  const isProblem = response.headers.get('content-type')?.startsWith('application/problem+json')
  if (isProblem) return response.json()
  return {
    code: 'unreadable',
    title: `Status ${response.status}`,
    detail: 'This response is not from ChronicleSync, but from something on the way to it.',
  }
}
