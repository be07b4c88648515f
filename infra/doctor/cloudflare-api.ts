import { setGlobalProxyFromEnv } from 'node:http'
import { z } from 'zod'

/** The provider's default. */
const DEFAULT_BASE_URL = 'https://api.cloudflare.com/client/v4'

/** Codes for a token that lacks a permission, and for one that may not see the resource. */
const REFUSAL_CODES = [9109, 10000]
/** "Could not route to ...": nothing has the id in the path. */
const NO_ROUTE_CODES = [7000, 7003]

const Envelope = z.object({
  success: z.boolean(),
  errors: z.array(z.object({ code: z.number(), message: z.string() })).default([]),
  result: z.unknown().optional(),
  result_info: z
    .object({ cursor: z.string().optional(), cursors: z.object({ after: z.string().optional() }).optional() })
    .nullish(),
})

export interface CloudflareApi {
  readonly baseUrl: string
  readonly token: string
  readonly signal: AbortSignal
}

/**
 * The result of a read. `silent` covers everything that the provider would retry: no answer in time, an answer that is
 * not the API's, HTTP 429 and 5xx.
 */
export type ApiAnswer =
  | {
      readonly kind: 'given'
      readonly result: unknown
      /** The start of the next page of a list; undefined at its end. */
      readonly cursor: string | undefined
    }
  | {
      readonly kind: 'refused' | 'absent' | 'failed'
      readonly reason: string
      readonly code: number | undefined
    }
  | { readonly kind: 'silent'; readonly reason: string }

export function withoutSlash(baseUrl: string = DEFAULT_BASE_URL): string {
  return baseUrl.replace(/\/+$/, '')
}

/** Sends requests through the proxy that HTTPS_PROXY names, as the provider does, except to this machine. */
export function followProxy(baseUrl: string): void {
  const isLocal = /^https?:\/\/(localhost|127\.|\[::1\])/.test(baseUrl)
  // Node has the function since 24.14.
  if (!isLocal && typeof setGlobalProxyFromEnv === 'function') setGlobalProxyFromEnv()
}

/** Sends one GET without a retry. */
export function askApi(api: CloudflareApi, path: string): Promise<ApiAnswer> {
  return send(api, path, {})
}

/** A change of the account. Only a step that a person has agreed to makes one. */
export interface Change {
  readonly method: 'POST' | 'PUT'
  readonly body: object
}

export function changeApi(api: CloudflareApi, path: string, { method, body }: Change): Promise<ApiAnswer> {
  return send(api, path, {
    method,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
}

async function send(
  { baseUrl, token, signal }: CloudflareApi,
  path: string,
  init: RequestInit,
): Promise<ApiAnswer> {
  const headers = { authorization: `Bearer ${token}`, ...init.headers }
  try {
    const response = await fetch(`${baseUrl}/${path}`, { ...init, headers, signal })
    return toAnswer(response.status, await response.text())
  } catch (cause) {
    return { kind: 'silent', reason: signal.aborted ? 'no answer in time' : describe(cause) }
  }
}

function toAnswer(status: number, text: string): ApiAnswer {
  const envelope = parseEnvelope(text)
  if (!envelope) return { kind: 'silent', reason: `HTTP ${status} without the API's JSON` }
  const { cursor, cursors } = envelope.result_info ?? {}
  // The vendor documents either field, by list. Both are empty at the end.
  if (envelope.success)
    return { kind: 'given', result: envelope.result, cursor: cursors?.after || cursor || undefined }
  const [error] = envelope.errors
  const code = error?.code
  const reason = error ? `${error.message}, code ${error.code}` : `HTTP ${status}`
  if (status === 429 || status >= 500) return { kind: 'silent', reason }
  return { kind: kindOf(status, code ?? 0), reason, code }
}

function parseEnvelope(text: string): z.infer<typeof Envelope> | undefined {
  try {
    return Envelope.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}

function kindOf(status: number, code: number): 'refused' | 'absent' | 'failed' {
  if (NO_ROUTE_CODES.includes(code)) return 'absent'
  if (status === 401 || status === 403 || REFUSAL_CODES.includes(code)) return 'refused'
  return status === 404 ? 'absent' : 'failed'
}

/** fetch says "fetch failed" and keeps the reason in the cause. */
function describe(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  if (!(cause instanceof Error)) return String(cause)
  return cause.message || ('code' in cause ? String(cause.code) : cause.name)
}
