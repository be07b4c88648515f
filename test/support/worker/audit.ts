import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, expect, vi } from 'vitest'
import { call, send } from './client.ts'

/** Lines logged since the test began. */
export let logged: { message: string; requestId: string; admin?: string; status?: number }[]

beforeEach(() => {
  logged = []
  vi.spyOn(console, 'log').mockImplementation((line: string) => {
    logged.push(JSON.parse(line))
  })
})

afterEach(() => {
  vi.restoreAllMocks()
  vi.useRealTimers()
})

export interface Wanted {
  readonly body?: unknown
  readonly bearer?: string
  readonly headers?: Record<string, string>
}

export interface Acted {
  readonly status: number
  // The tests read replies as an untyped client does.
  // biome-ignore lint/suspicious/noExplicitAny: see above
  readonly body: any
  /** Records of the act as listed, and its lines as logged. */
  readonly records: readonly object[]
  readonly lines: readonly object[]
}

/** Sends a request as the operator, under a request id of its own. */
export async function act(method: string, path: string, wanted: Wanted = {}): Promise<Acted> {
  const { body, bearer = env.ADMIN_TOKEN, headers } = wanted
  const requestId = crypto.randomUUID()
  const response = await call(path, {
    method,
    headers: {
      authorization: `Bearer ${bearer}`,
      'x-request-id': requestId,
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  const isJson = text !== '' && /[/+]json$/.test(response.headers.get('content-type') ?? '')
  const lines = logged.filter((line) => line.message === 'audit' && line.requestId === requestId)
  const records = (await listed()).filter((record) => record.requestId === requestId)
  return { status: response.status, body: isJson ? JSON.parse(text) : null, records, lines }
}

// biome-ignore lint/suspicious/noExplicitAny: see above
export async function listed(): Promise<any[]> {
  return (await send('GET', '/api/audit', { bearer: env.ADMIN_TOKEN })).body.records
}

/** Fields of every record, with its target. */
export function recordLike(act: string, status: number, target: object): object {
  return {
    at: expect.any(Number),
    act,
    status,
    requestId: expect.any(String),
    admin: expect.stringMatching(/^[A-Za-z0-9_-]{8}$/),
    address: null,
    target,
  }
}

/** Makes a request of the operator for `answer` with another environment. */
export function requestTo(
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body?: object,
): Request {
  return new Request(`https://sync.example${path}`, {
    method,
    headers: {
      authorization: `Bearer ${env.ADMIN_TOKEN}`,
      ...(body && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body && { body: JSON.stringify(body) }),
  })
}
