import { OPERATOR } from '../../core/access/session.ts'
import { isReportDue, type Moment, restOfPause, type SpaceReport } from '../../core/report/report.ts'
import { isNearQuota } from '../../core/space/quota.ts'
import { FORGET_AGAIN_MS, REPORT_DELAY_MS, REPORT_PAUSE_MS } from '../../core/values/report-limits.ts'
import { NOTHING } from '../../core/values/version.ts'
import { usedBy } from '../space/quota.ts'
import type { Space } from '../space/space.ts'
import { type ReportRows, reportRows } from './report-rows.ts'

/** The shard of the registry that lists a space. */
export interface Registry {
  report(report: SpaceReport): Promise<void>
  forget(space: string, at: number): Promise<void>
}

/** Tells the registry about a space. No call waits for the registry. */
export interface Reporter {
  /** Reports if that is due. Call it after each change. */
  changed(): void
  /** Does what `changed` does, and looks whether conflicts are open and the upkeep fails. */
  turned(): void
  /** Counts an unexpected error that no request at the edge has met. */
  failed(): void
  /** Removes the space from the registry. Call it after an erasure. */
  erased(): void
  /** Does what the object could not do before it ended. Call it when the object wakes. */
  catchUp(): void
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

/** The figures that only rows have. */
type Needs = Pick<Moment, 'openConflicts' | 'upkeepFailures'>

export function reporterOf({ sql, space, registry, clock, ...options }: ReporterOptions): Reporter {
  const rows = reportRows(sql)
  /** Undefined until it was read. */
  let last: Moment | null | undefined
  let defects = 0
  /** When the registry may be asked again after a failure, ms. */
  let notBefore = 0
  const tasks = queuedTasks({
    // Something may have changed while a report was on its way.
    ended() {
      checkDefects()
      check(needsOf(space, rows))
    },
    failed(thrown) {
      notBefore = clock() + REPORT_PAUSE_MS
      options.report(thrown)
    },
  })

  function known(): Moment | null {
    if (last === undefined) last = rows.reported()
    return last
  }

  /** Undefined as long as there is nothing to report, or nobody has called the space by its name. */
  function nameNow(): string | undefined {
    return space.state.lastSync === null ? undefined : (options.name ?? known()?.space)
  }

  function check(needs: Needs): void {
    const name = nameNow()
    if (tasks.isBusy() || name === undefined || clock() < notBefore) return
    if (isReportDue(known(), momentOf(space, { name, at: clock() }, needs)))
      tasks.schedule(report, REPORT_DELAY_MS)
  }

  function checkDefects(): void {
    if (tasks.isBusy() || defects === 0 || nameNow() === undefined) return
    tasks.schedule(report, Math.max(restOfPause(known(), clock()), notBefore - clock(), REPORT_DELAY_MS))
  }

  async function report(): Promise<void> {
    const name = nameNow()
    // The space may have been erased in the meantime.
    if (name === undefined) return
    const next = momentOf(space, { name, at: clock() }, needsOf(space, rows))
    const counted = defects
    await registry(name).report(reportOf(space, rows, { last: known(), next, defects: counted }))
    defects -= counted
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
    changed: () => check(known() ?? { openConflicts: 0, upkeepFailures: 0 }),
    turned: () => check(needsOf(space, rows)),

    failed() {
      defects += 1
      checkDefects()
    },

    erased() {
      last = null
      tasks.schedule(forget, 0)
    },

    catchUp() {
      if (space.state.erasedAt > 0 && rows.unforgotten() !== null) tasks.schedule(forget, 0)
      else if (nameNow() !== undefined && known() === null) check(needsOf(space, rows))
    },
  }
}

interface TaskQueue {
  isBusy(): boolean
  /** Does a task later, and after the task before it. */
  schedule(task: () => Promise<void>, delay: number): void
}

function queuedTasks(on: { ended: () => void; failed: (thrown: unknown) => void }): TaskQueue {
  let waiting = 0
  let last: Promise<void> = Promise.resolve()

  async function run(task: () => Promise<void>): Promise<void> {
    try {
      await task().finally(() => {
        waiting -= 1
      })
      on.ended()
    } catch (thrown) {
      on.failed(thrown)
    }
  }

  return {
    isBusy: () => waiting > 0,
    schedule(task, delay) {
      waiting += 1
      setTimeout(() => {
        last = last.then(() => run(task))
      }, delay)
    },
  }
}

function needsOf({ store }: Space, rows: ReportRows): Needs {
  return { openConflicts: store.openConflicts(), upkeepFailures: rows.upkeepFailures() }
}

function momentOf(
  space: Space,
  { name, at }: { readonly name: string; readonly at: number },
  { openConflicts, upkeepFailures }: Needs,
): Moment {
  const { epoch, seq } = space.state
  const near = isNearQuota(usedBy(space), space.config.quota)
  return { space: name, at, epoch, seq, isNearQuota: near, openConflicts, upkeepFailures }
}

function reportOf(
  space: Space,
  rows: ReportRows,
  { last, next, defects }: { readonly last: Moment | null; readonly next: Moment; readonly defects: number },
): SpaceReport {
  const { isNearQuota: _, ...moment } = next
  const { lastSync, pending } = space.state
  const before = last?.epoch === next.epoch ? last : null
  const writers = [...pending.records.values()].filter(({ subject }) => !subject.startsWith(OPERATOR))
  return {
    ...moment,
    used: usedBy(space),
    limit: space.config.quota,
    since: before?.at ?? null,
    conflicts: rows.countConflicts(before?.seq ?? NOTHING),
    defects,
    devices: rows.countDevices(writers.map(({ id }) => id)),
    lastSync,
  }
}
