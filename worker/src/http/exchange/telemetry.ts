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

/** One line a request. */
export function logRequest({ env, requestId }: Exchange, ending: RequestOutcome): void {
  console.log(requestLine(env, requestId, ending))
}

/** One line an operator's act. */
export function logAct({ env }: Exchange, record: AuditRecord): void {
  console.log(auditLine(env, record))
}

/** What nobody expected, with its cause. */
export function logDefect({ env, requestId }: Exchange, thrown: unknown): void {
  console.error(defectLine(env, requestId, thrown))
}

/** A space that did not answer, for a reason that passes. */
export function logAbsence({ env, requestId }: Exchange, thrown: unknown): void {
  console.warn(absenceLine(env, requestId, thrown))
}

/** The secrets, by name, that keep the service from serving. */
export function logUnfit({ env, requestId }: Exchange, secrets: readonly string[]): void {
  console.error(unfitLine(env, requestId, secrets))
}
