import type { Amounts } from '../space/quota.ts'
import { REPORT_CHANGES, REPORT_INTERVAL_MS, REPORT_PAUSE_MS } from '../values/report-limits.ts'

/** What a space was like at a moment. */
export interface Moment {
  readonly space: string
  /** When it was, ms. */
  readonly at: number
  readonly epoch: string
  /** The last sequence number in use: the number of versions that the space has stored in this epoch. */
  readonly seq: number
  readonly isNearQuota: boolean
  readonly openConflicts: number
  /** How often the upkeep has failed in succession. */
  readonly upkeepFailures: number
}

/** The figures that a space reports of itself. The field names cross RPC between two releases. */
export interface SpaceReport extends Omit<Moment, 'isNearQuota'> {
  /** Live entries and bytes of storage. */
  readonly used: Amounts
  readonly limit: Amounts
  /** When the last report of this epoch was that the registry has taken, as far as the space knows; ms. */
  readonly since: number | null
  /** Conflicts and unexpected errors since then. */
  readonly conflicts: number
  readonly defects: number
  /** The clients that the space knows. */
  readonly devices: number
  /** When the last change was stored, ms; null before the first. */
  readonly lastSync: number | null
}

/**
 * Whether a space that has changed reports now. It does so at its first write, once an hour, whenever the number of its
 * versions passes a power of two, after a thousand more, and when its quota, its open conflicts or its upkeep begin or
 * cease to need an operator. `last` is the last report that the registry has taken.
 */
export function isReportDue(last: Moment | null, now: Moment): boolean {
  if (last === null || last.epoch !== now.epoch) return true
  if (restOfPause(last, now.at) > 0) return false
  return (
    Math.abs(now.at - last.at) >= REPORT_INTERVAL_MS ||
    now.seq - last.seq >= REPORT_CHANGES ||
    Math.clz32(now.seq) !== Math.clz32(last.seq) ||
    now.isNearQuota !== last.isNearQuota ||
    now.openConflicts > 0 !== last.openConflicts > 0 ||
    now.upkeepFailures > 0 !== last.upkeepFailures > 0
  )
}

/** How long a space waits after its last report, ms; 0 or less if the pause is over. A clock that was set back ends it. */
export function restOfPause(last: Moment | null, now: number): number {
  const passed = last === null ? REPORT_PAUSE_MS : now - last.at
  return passed < 0 ? 0 : REPORT_PAUSE_MS - passed
}
