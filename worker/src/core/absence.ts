/** A temporary reason why a space did not reply. `older`: the object still runs the previous release. */
export type Absence = 'overloaded' | 'restarting' | 'older'

/**
 * Error messages of the platform for restarts that it does not flag (durable-objects: troubleshooting): the object's
 * code was updated, its storage failed, or it moved to another machine.
 */
const RESTARTED =
  /reset because its code was updated|caused object to be reset|moved to a different machine|network connection lost/i

/** The error of an RPC method that the object's release does not have yet. */
const UNKNOWN_METHOD = /^The RPC receiver does not implement/

/**
 * Distinguishes a temporary absence from a defect by the error that a call to an object threw. Returns null for a
 * defect. The platform has already retried where a retry can help (durable-objects: automatic-retries).
 */
export function absenceOf(thrown: unknown): Absence | null {
  if (!(thrown instanceof Error)) return null
  const { overloaded, retryable, message }: Error & { overloaded?: unknown; retryable?: unknown } = thrown
  if (overloaded === true) return 'overloaded'
  if (retryable === true || RESTARTED.test(message)) return 'restarting'
  return UNKNOWN_METHOD.test(message) ? 'older' : null
}
