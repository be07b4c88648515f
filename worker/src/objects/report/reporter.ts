import { OPERATOR } from '../../core/access/session.ts'
import { isNearQuota, isReportDue, type Reported, type SpaceReport } from '../../core/report/report.ts'
import { FORGET_AGAIN_MS, REPORT_DELAY_MS, REPORT_PAUSE_MS } from '../../core/values/report-limits.ts'
import { usedBy } from '../space/quota.ts'
import type { Space } from '../space/space.ts'
import type { ClientRecord } from '../store/client-rows.ts'
import { type ReportRows, reportRows } from './report-rows.ts'

/** The shard of the registry that lists a space. */
export interface Registry {
  report(report: SpaceReport): Promise<void>
  forget(space: string, at: number): Promise<void>
}

/** Tells the registry about a space. Every call returns at once and throws nothing: no request waits for the registry. */
export interface Reporter {
  /** Reports if that is due. Call it after each change. */
  changed(): void
  /** Does what `changed` does, and looks whether conflicts are open and the upkeep fails. */
  turned(): void
  /** Removes the space from the registry. Call it after an erasure. */
  erased(): void
  /** Tries again to remove an erased space from the registry. Call it when the object wakes. */
  retry(): void
}

export interface ReporterOptions {
  readonly sql: SqlStorage
  readonly space: Space
  /** The name of the space. Undefined if the object was reached by its id. */
  readonly name: string | undefined
  readonly registry: (space: string) => Registry
  readonly clock: () => number
  readonly report: (thrown: unknown) => void
}

type Turns = Pick<Reported, 'hasOpenConflicts' | 'isUpkeepFailing'>

const NO_TURNS: Turns = { hasOpenConflicts: false, isUpkeepFailing: false }

export function reporterOf({ sql, space, registry, clock, ...options }: ReporterOptions): Reporter {
  const rows = reportRows(sql)
  /** Undefined until it was read. */
  let last: Reported | null | undefined
  let isScheduled = false
  /** When the registry may be asked again after a failure, ms. */
  let notBefore = 0
  let sending: Promise<void> = Promise.resolve()

  function known(): Reported | null {
    if (last === undefined) last = rows.reported()
    return last
  }

  function check(turns: Turns): void {
    const name = options.name ?? known()?.space
    if (isScheduled || name === undefined || space.state.lastSync === null || clock() < notBefore) return
    if (isReportDue(known(), momentOf(space, { name, at: clock(), turns })))
      schedule(() => report(name), REPORT_DELAY_MS)
  }

  /** Does a task when the burst of requests is over, and after the task before it. */
  function schedule(task: () => Promise<void>, delay: number): void {
    isScheduled = true
    setTimeout(() => {
      isScheduled = false
      sending = sending.then(task).catch((thrown: unknown) => {
        notBefore = clock() + REPORT_PAUSE_MS
        options.report(thrown)
      })
    }, delay)
  }

  async function report(name: string): Promise<void> {
    const next = momentOf(space, { name, at: clock(), turns: turnsIn(rows) })
    await registry(name).report(reportOf(space, rows, { since: known(), next }))
    // An erasure in the meantime has a report of its own.
    if (space.state.epoch !== next.epoch) return
    rows.putReported(next)
    last = next
  }

  async function forget(): Promise<void> {
    const name = rows.unforgotten()
    if (name === null) return
    try {
      // A report of what was written since replaces everything that the registry has.
      if (space.state.lastSync === null) await registry(name).forget(name, clock())
      rows.forgotten()
    } catch (thrown) {
      await space.alarm.wakeBy(clock() + FORGET_AGAIN_MS)
      throw thrown
    }
  }

  return {
    changed: () => check(known() ?? NO_TURNS),
    turned: () => check(turnsIn(rows)),

    erased() {
      last = null
      schedule(forget, 0)
    },

    retry() {
      if (space.state.erasedAt > 0 && rows.unforgotten() !== null) schedule(forget, 0)
    },
  }
}

function turnsIn(rows: ReportRows): Turns {
  return { hasOpenConflicts: rows.countOpenConflicts() > 0, isUpkeepFailing: rows.upkeepFailures() > 0 }
}

function momentOf(
  space: Space,
  { name, at, turns }: { readonly name: string; readonly at: number; readonly turns: Turns },
): Reported {
  const { epoch, seq } = space.state
  const { hasOpenConflicts, isUpkeepFailing } = turns
  const near = isNearQuota(usedBy(space), space.config.quota)
  return { space: name, at, epoch, seq, isNearQuota: near, hasOpenConflicts, isUpkeepFailing }
}

/** The clients that are not an operator's. */
function usersIn(records: ReadonlyMap<string, ClientRecord>): readonly string[] {
  const all = [...records.values()]
  return all.filter(({ subject }) => !subject.startsWith(OPERATOR)).map(({ id }) => id)
}

function reportOf(
  space: Space,
  rows: ReportRows,
  { since, next }: { readonly since: Reported | null; readonly next: Reported },
): SpaceReport {
  const before = since?.epoch === next.epoch ? since : null
  return {
    ...{ space: next.space, at: next.at, epoch: next.epoch, seq: next.seq },
    used: usedBy(space),
    limit: space.config.quota,
    openConflicts: rows.countOpenConflicts(),
    conflicts: rows.countConflicts(before?.seq ?? 0),
    since: before && { epoch: before.epoch, seq: before.seq },
    devices: rows.countDevices(usersIn(space.state.pending.records)),
    lastSync: space.state.lastSync,
    upkeepFailures: rows.upkeepFailures(),
  }
}
