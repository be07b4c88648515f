import { absenceOf } from './absence.ts'
import type { AuditRecord } from './audit.ts'
import type { Tally } from './tally.ts'

/** What the Worker was deployed as. */
interface Deployment {
  readonly ENVIRONMENT: string
  readonly VERSION: string
}

/** How a request ended, over HTTP or on a socket. */
export interface RequestOutcome {
  readonly method: string
  /** The pattern, not the path: whatever a client puts into a URL by mistake is not logged. */
  readonly route: string
  readonly status: number
  readonly code: string | undefined
  readonly ms: number
}

/** One line of JSON a request. Named fields only: no header, body, query or credential gets into the log. */
export function requestLine(
  { ENVIRONMENT }: Deployment,
  requestId: string,
  { method, route, status, code, ms }: RequestOutcome,
): string {
  const level = levelOf(status, code)
  const fields = { method, route, status, code, ms }
  return JSON.stringify({ level, message: 'request', requestId, environment: ENVIRONMENT, ...fields })
}

/** What somebody must mend is an error; what passes by itself, or clients mend, is a warning. */
function levelOf(status: number, code: string | undefined): 'info' | 'warn' | 'error' {
  if (status < 500) return 'info'
  return status === 500 || code === 'misconfigured' ? 'error' : 'warn'
}

/** One line an operator's act, without the names of subject and space: more people read logs than may know them. */
export function auditLine({ ENVIRONMENT }: Deployment, { target, ...act }: AuditRecord): string {
  const { tokenId, replacedBy, scopes, revision } = target
  const fields = { ...act, target: { tokenId, replacedBy, scopes, revision } }
  return JSON.stringify({ level: 'info', message: 'audit', environment: ENVIRONMENT, ...fields })
}

/** What nobody expected, with its cause, under the id that the client was given. */
export function defectLine({ ENVIRONMENT }: Deployment, requestId: string, thrown: unknown): string {
  const { name, message, stack } = thrown instanceof Error ? thrown : new Error(String(thrown))
  const fields = { name, error: message, stack }
  return JSON.stringify({ level: 'error', message: 'defect', requestId, environment: ENVIRONMENT, ...fields })
}

/** A space that did not answer, and why; no defect. */
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

/** The secrets, by name, that keep the service from serving. */
export function unfitLine(
  { ENVIRONMENT }: Deployment,
  requestId: string,
  secrets: readonly string[],
): string {
  const fields = { requestId, environment: ENVIRONMENT, secrets }
  return JSON.stringify({ level: 'error', message: 'misconfigured', ...fields })
}

/** A dataset that takes points; the platform's throws past so many of one invocation. */
interface Dataset {
  writeDataPoint(point: Point): void
}

/** Writes a data point. What the dataset does not take is lost, and nothing else: the request goes on. */
export function keepPoint(dataset: Dataset, point: Point): void {
  try {
    dataset.writeDataPoint(point)
  } catch {
    // Its request is in the log all the same, and a line for each point would flood that when points do.
  }
}

/** A point of the stack's dataset. The index is the environment: what is sampled, if anything is. */
interface Point {
  indexes: string[]
  blobs: string[]
  doubles: number[]
}

/** A request: blob1 is the kind of point, blob2 the version, then route, method, code; double1 the status, double2 ms. */
export function requestPoint(
  { ENVIRONMENT, VERSION }: Deployment,
  { method, route, status, code, ms }: RequestOutcome,
): Point {
  return {
    indexes: [ENVIRONMENT],
    blobs: ['request', VERSION, route, method, code ?? ''],
    doubles: [status, ms],
  }
}

/** What a batch did: changes, conflicts, rejections and replays as double1 to double4. */
export function batchPoint(
  { ENVIRONMENT, VERSION }: Deployment,
  { changes, conflicts, rejected, replays }: Tally,
): Point {
  return {
    indexes: [ENVIRONMENT],
    blobs: ['sync', VERSION],
    doubles: [changes, conflicts, rejected, replays],
  }
}
