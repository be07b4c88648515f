import { absenceOf } from './absence.ts'
import type { AuditRecord } from './audit.ts'
import type { Tally } from './tally.ts'

/** The deployment that the Worker runs as. */
interface Deployment {
  readonly ENVIRONMENT: string
  readonly VERSION: string
}

/** The outcome of a request, over HTTP or on a socket. */
export interface RequestOutcome {
  readonly method: string
  /** The pattern of the route, not the path, so that nothing a client puts into a URL by mistake is logged. */
  readonly route: string
  readonly status: number
  readonly code: string | undefined
  readonly ms: number
  /** The effects of a batch, if the request had one. */
  readonly tally?: Tally | undefined
}

/** One JSON line per request. It has only named fields, so no header, body, query or credential reaches the log. */
export function requestLine(
  { ENVIRONMENT }: Deployment,
  requestId: string,
  { method, route, status, code, ms }: RequestOutcome,
): string {
  const level = levelOf(status, code)
  const fields = { method, route, status, code, ms }
  return JSON.stringify({ level, message: 'request', requestId, environment: ENVIRONMENT, ...fields })
}

/** Errors need an operator. Warnings pass by themselves or are the client's to fix. */
function levelOf(status: number, code: string | undefined): 'info' | 'warn' | 'error' {
  if (status < 500) return 'info'
  return status === 500 || code === 'misconfigured' ? 'error' : 'warn'
}

/**
 * One line per operator's act, without the names of subject and space: more people read logs than may know these names.
 */
export function auditLine({ ENVIRONMENT }: Deployment, { target, ...act }: AuditRecord): string {
  const { tokenId, replacedBy, scopes, revision } = target
  const fields = { ...act, target: { tokenId, replacedBy, scopes, revision } }
  return JSON.stringify({ level: 'info', message: 'audit', environment: ENVIRONMENT, ...fields })
}

/** An unexpected error with its cause, under the request id that the client was given. */
export function defectLine({ ENVIRONMENT }: Deployment, requestId: string, thrown: unknown): string {
  const { name, message, stack } = thrown instanceof Error ? thrown : new Error(String(thrown))
  const fields = { name, error: message, stack }
  return JSON.stringify({ level: 'error', message: 'defect', requestId, environment: ENVIRONMENT, ...fields })
}

/** A space that did not reply, and why. Not a defect. */
export function absenceLine({ ENVIRONMENT }: Deployment, requestId: string, thrown: unknown): string {
  const fields = { cause: absenceOf(thrown), error: String(thrown) }
  return JSON.stringify({
    level: 'warn',
    message: 'space absent',
    requestId,
    environment: ENVIRONMENT,
    ...fields,
  })
}

/** The names of the secrets that keep the service from serving. */
export function unfitLine(
  { ENVIRONMENT }: Deployment,
  requestId: string,
  secrets: readonly string[],
): string {
  const fields = { requestId, environment: ENVIRONMENT, secrets }
  return JSON.stringify({ level: 'error', message: 'misconfigured', ...fields })
}

/** An Analytics Engine dataset. Its `writeDataPoint` throws past a number of points per invocation. */
interface Dataset {
  writeDataPoint(point: Point): void
}

/** Writes a data point. If the dataset refuses the point, the point is lost and the request continues. */
export function keepPoint(dataset: Dataset, point: Point): void {
  try {
    dataset.writeDataPoint(point)
  } catch {
    // The request is in the log anyway. A line per lost point would flood the log.
  }
}

/** A point of the stack's dataset. The index, by which the platform samples, is the environment. */
interface Point {
  indexes: string[]
  blobs: string[]
  doubles: number[]
}

/**
 * A request: blob1 is the kind of point, blob2 the version, then route, method, code; double1 the status, double2 ms. A
 * request with a batch adds its changes, conflicts, rejections and replays as double3 to double6.
 */
export function requestPoint(
  { ENVIRONMENT, VERSION }: Deployment,
  { method, route, status, code, ms, tally }: RequestOutcome,
): Point {
  const effects = tally === undefined ? [] : [tally.changes, tally.conflicts, tally.rejected, tally.replays]
  return {
    indexes: [ENVIRONMENT],
    blobs: ['request', VERSION, route, method, code ?? ''],
    doubles: [status, ms, ...effects],
  }
}
