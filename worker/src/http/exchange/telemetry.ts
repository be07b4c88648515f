import { tracing } from 'cloudflare:workers'
import type { AuditRecord } from '../../core/audit.ts'
import {
  absenceLine,
  auditLine,
  defectLine,
  type RequestOutcome,
  requestLine,
  unfitLine,
} from '../../core/log-line.ts'
import type { Exchange } from './exchange.ts'

/** Adds the id of a request to its trace, which also has the spans of the object. */
export function traceRequest({ requestId }: Exchange): void {
  tracing.getActiveSpan()?.setAttribute('request_id', requestId)
}

/** One line per request. */
export function logRequest({ env, requestId }: Exchange, ending: RequestOutcome): void {
  console.log(requestLine(env, requestId, ending))
}

/** One line per operator's act. */
export function logAct({ env }: Exchange, record: AuditRecord): void {
  console.log(auditLine(env, record))
}

/** An unexpected error, with its cause. */
export function logDefect({ env, requestId }: Exchange, thrown: unknown): void {
  console.error(defectLine(env, requestId, thrown))
}

/** A space that did not reply, for a temporary reason. */
export function logAbsence({ env, requestId }: Exchange, thrown: unknown): void {
  console.warn(absenceLine(env, requestId, thrown))
}

/** The names of the secrets that keep the service from serving. */
export function logUnfit({ env, requestId }: Exchange, secrets: readonly string[]): void {
  console.error(unfitLine(env, requestId, secrets))
}
