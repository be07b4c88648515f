import type { Amounts } from '../space/quota.ts'
import { REPORT_CHANGES, REPORT_INTERVAL_MS, REPORT_PAUSE_MS } from '../values/report-limits.ts'

/** The figures that a space reports of itself. The field names cross RPC between two releases. */
export interface SpaceReport extends Point {
  readonly space: string
  /** Live entries and bytes of storage. */
  readonly used: Amounts
  readonly limit: Amounts
  readonly openConflicts: number
  /** Conflicts that arose since the point `since`. */
  readonly conflicts: number
  /** The point of the last report that the registry has taken, as far as the space knows. */
  readonly since: Pick<Point, 'epoch' | 'seq'> | null
  /** The clients that the space knows. */
  readonly devices: number
  /** When the last change was stored, ms; null before the first. */
  readonly lastSync: number | null
  /** How often the upkeep has failed in succession. */
  readonly upkeepFailures: number
}

/** A moment in the life of a space. */
export interface Point {
  /** When it was, ms. */
  readonly at: number
  readonly epoch: string
  /** The last sequence number in use: the number of versions that the space has stored in this epoch. */
  readonly seq: number
}

/** The last report of a space that the registry has taken. */
export interface Reported extends Point {
  readonly space: string
  readonly isNearQuota: boolean
  readonly hasOpenConflicts: boolean
  readonly isUpkeepFailing: boolean
}

/**
 * Whether a space that has changed reports now. It does so at its first write, once an hour, whenever the number of its
 * versions passes a power of two, after a thousand more, and when its quota, its open conflicts or its upkeep begin or
 * cease to need an operator.
 */
export function isReportDue(last: Reported | null, now: Reported): boolean {
  if (last === null || last.epoch !== now.epoch) return true
  const passed = now.at - last.at
  // A clock that was set back must not silence a space.
  if (passed >= 0 && passed < REPORT_PAUSE_MS) return false
  return (
    Math.abs(passed) >= REPORT_INTERVAL_MS ||
    now.seq - last.seq >= REPORT_CHANGES ||
    Math.clz32(now.seq) !== Math.clz32(last.seq) ||
    now.isNearQuota !== last.isNearQuota ||
    now.hasOpenConflicts !== last.hasOpenConflicts ||
    now.isUpkeepFailing !== last.isUpkeepFailing
  )
}

/** Nine tenths of a quota: the operator still has time to act. */
const NEAR = 0.9

export function isNearQuota(used: Amounts, limit: Amounts): boolean {
  return used.entries >= NEAR * limit.entries || used.bytes >= NEAR * limit.bytes
}

export function isFull(used: Amounts, limit: Amounts): boolean {
  return used.entries >= limit.entries || used.bytes >= limit.bytes
}
