/** Why a space did not answer, where that passes by itself. `older`: its object still runs the last release. */
export type Absence = 'overloaded' | 'restarting' | 'older'

/**
 * What the platform says where it sets no flag (durable-objects: troubleshooting): the code of an object was updated, its
 * storage failed, or it lives elsewhere by now.
 */
const RESTARTED =
  /reset because its code was updated|caused object to be reset|moved to a different machine|network connection lost/i

/** What a call says of a method that the object's release does not have yet. */
const UNKNOWN_METHOD = /^The RPC receiver does not implement/

/**
 * Tells an absence from a defect by what a call of an object threw; null for a defect. The platform has tried again by
 * itself where that could help (durable-objects: automatic-retries).
 */
export function absenceOf(thrown: unknown): Absence | null {
  if (!(thrown instanceof Error)) return null
  const { overloaded, retryable, message }: Error & { overloaded?: unknown; retryable?: unknown } = thrown
  if (overloaded === true) return 'overloaded'
  if (retryable === true || RESTARTED.test(message)) return 'restarting'
  return UNKNOWN_METHOD.test(message) ? 'older' : null
}
