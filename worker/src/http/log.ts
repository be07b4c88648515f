import type { FaultCode } from '../core/fault.ts'
import type { Exchange } from './exchange.ts'

/** How a request ended. */
export interface Ending {
  /** The pattern, not the path: whatever a client puts into a URL by mistake is not logged. */
  readonly route: string
  readonly status: number
  readonly code: FaultCode | undefined
  readonly ms: number
}

/** One line of JSON a request. Named fields only: no header, body, query or credential gets into the log. */
export function logRequest({ request, env, requestId }: Exchange, { route, status, code, ms }: Ending): void {
  const level = status >= 500 ? 'error' : 'info'
  const fields = { method: request.method, route, status, code, ms }
  console.log(
    JSON.stringify({ level, message: 'request', requestId, environment: env.ENVIRONMENT, ...fields }),
  )
}

/** What nobody expected, with its cause, under the id that the client was given. */
export function logDefect({ env, requestId }: Exchange, thrown: unknown): void {
  const { name, message, stack } = thrown instanceof Error ? thrown : new Error(String(thrown))
  const fields = { name, error: message, stack }
  console.error(
    JSON.stringify({ level: 'error', message: 'defect', requestId, environment: env.ENVIRONMENT, ...fields }),
  )
}
