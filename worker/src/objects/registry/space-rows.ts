import type { ListedSpace, Listing, Order, Totals } from '../../core/report/listing.ts'
import type { SpaceReport } from '../../core/report/report.ts'
import { isFull, isNearQuota } from '../../core/space/quota.ts'
import { ERASED_FOR_MS } from '../../core/values/report-limits.ts'

/** The spaces of a shard, and what was counted in them. */
export interface SpaceRows {
  put(report: SpaceReport): void
  forget(space: string, at: number): void
  countDefects(count: number): void
  has(space: string): boolean
  list(listing: Listing): readonly ListedSpace[]
  totals(): Totals
}

type SpaceRow = {
  name: string
  epoch: string
  seq: number
  at: number
  entries: number
  bytes: number
  most_entries: number
  most_bytes: number
  open: number
  devices: number
  synced: number | null
  failures: number
  changes: number
  conflicts: number
  reports: number
  erased: number
}

/** The expression that each list is ordered by. There is no index: every report would write one row more for it. */
const ORDERED_BY: Readonly<Record<Order, string>> = {
  name: '0 + 0',
  size: '-bytes',
  age: 'ifnull(synced, 0)',
  conflicts: '-open',
}

/** The counters of a space, which survive its erasure. */
type Counted = Pick<Totals, 'changes' | 'conflicts' | 'reports'>

export function spaceRows(sql: SqlStorage): SpaceRows {
  /** Derived from the rows when first needed, then kept up to date: a scraper asks every minute. */
  let totals: Totals | undefined

  function row(space: string): SpaceRow | undefined {
    return sql.exec<SpaceRow>('SELECT * FROM space WHERE name = ?', space).toArray()[0]
  }

  function put(next: SpaceRow, before: SpaceRow | undefined): void {
    const columns = Object.keys(next)
    const marks = columns.map(() => '?')
    sql.exec(`INSERT OR REPLACE INTO space (${columns}) VALUES (${marks})`, ...Object.values(next))
    if (totals !== undefined) totals = moved(moved(totals, before, -1), next, 1)
  }

  function count(what: keyof Counted | 'defects', by: number): void {
    sql.exec(
      'INSERT INTO counted VALUES (?1, ?2) ON CONFLICT (what) DO UPDATE SET count = count + ?2',
      what,
      by,
    )
  }

  function countDefects(defects: number): void {
    count('defects', defects)
    if (totals !== undefined) totals = { ...totals, defects: totals.defects + defects }
  }

  function sum(): Totals {
    let result = NONE
    for (const one of sql.exec<SpaceRow>('SELECT * FROM space')) result = moved(result, one, 1)
    for (const { what, count } of sql.exec<{ what: string; count: number }>('SELECT * FROM counted'))
      if (what in result) result = { ...result, [what]: result[what as keyof Totals] + count }
    return result
  }

  return {
    put(report) {
      const before = row(report.space)
      if (before !== undefined && isStale(report, before)) return
      if (report.defects > 0 && continues(report, before)) countDefects(report.defects)
      put(rowOf(report, before), before)
    },

    forget(space, at) {
      const before = row(space)
      if (before === undefined) return
      put({ ...before, ...NOTHING_LEFT, at: Math.max(at, before.at), erased: 1 }, before)
      const old = sql
        .exec<SpaceRow>('SELECT * FROM space WHERE erased = 1 AND at < ?', at - ERASED_FOR_MS)
        .toArray()
      if (old.length === 0) return
      // Counters never go back.
      sql.exec('DELETE FROM space WHERE erased = 1 AND at < ?', at - ERASED_FOR_MS)
      for (const { changes, conflicts, reports } of old)
        for (const [what, by] of Object.entries({ changes, conflicts, reports }))
          count(what as keyof Counted, by)
    },

    countDefects,

    has(space) {
      return row(space)?.erased === 0
    },

    list({ order, prefix, after, limit }) {
      const by = ORDERED_BY[order]
      const [value, name] = after ?? [Number.MIN_SAFE_INTEGER, '']
      const rows = sql.exec<SpaceRow>(
        `SELECT * FROM space WHERE erased = 0 AND (${by}, name) > (?1, ?2)
         AND substr(name, 1, length(?3)) = ?3 ORDER BY ${by}, name LIMIT ?4`,
        value,
        name,
        prefix,
        limit,
      )
      return Array.from(rows, listed)
    },

    totals: () => (totals ??= sum()),
  }
}

const NOTHING_LEFT = { entries: 0, bytes: 0, open: 0, devices: 0, synced: null, failures: 0 }

const NONE: Totals = {
  ...{ spaces: 0, entries: 0, bytes: 0, devices: 0, openConflicts: 0, nearQuota: 0, full: 0 },
  ...{ upkeepFailing: 0, changes: 0, conflicts: 0, reports: 0, defects: 0 },
}

/** Whether a later report has arrived before. The clock of a space may be set back, and so may its storage. */
function isStale({ epoch, seq, at }: SpaceReport, before: SpaceRow): boolean {
  if (epoch === before.epoch) return before.erased === 1 || (seq < before.seq && at < before.at)
  return before.erased === 0 && at < before.at
}

/** Whether a report begins where the last one ended. What it counts is not counted twice. */
function continues({ epoch, since }: SpaceReport, before: SpaceRow | undefined): boolean {
  return before?.epoch === epoch ? since === before.at : since === null
}

/** The row after a report. Changes are counted by sequence numbers, so the next report makes up for a lost one. */
function rowOf(report: SpaceReport, before: SpaceRow | undefined): SpaceRow {
  const { space, epoch, seq, at, used, limit } = report
  const counted = before?.epoch === epoch ? before.seq : 0
  return {
    ...{ name: space, epoch, seq, at, ...used },
    ...{ most_entries: limit.entries, most_bytes: limit.bytes },
    ...{ open: report.openConflicts, devices: report.devices, synced: report.lastSync },
    failures: report.upkeepFailures,
    changes: (before?.changes ?? 0) + Math.max(0, seq - counted),
    conflicts: (before?.conflicts ?? 0) + (continues(report, before) ? report.conflicts : 0),
    reports: (before?.reports ?? 0) + 1,
    erased: 0,
  }
}

function listed(row: SpaceRow): ListedSpace {
  const { name, entries, bytes, open, devices, synced, failures, at } = row
  return {
    ...{ space: name, entries, bytes, quota: quotaOf(row), openConflicts: open, devices },
    ...{ lastSync: synced, upkeepFailures: failures, reportedAt: at },
  }
}

function quotaOf({ most_entries: entries, most_bytes: bytes }: SpaceRow) {
  return { entries, bytes }
}

/** The totals with a row added, or taken away. */
function moved(totals: Totals, row: SpaceRow | undefined, by: 1 | -1): Totals {
  if (row === undefined) return totals
  const here = row.erased === 0 ? by : 0
  return {
    spaces: totals.spaces + here,
    entries: totals.entries + by * row.entries,
    bytes: totals.bytes + by * row.bytes,
    devices: totals.devices + by * row.devices,
    openConflicts: totals.openConflicts + by * row.open,
    nearQuota: totals.nearQuota + here * Number(isNearQuota(row, quotaOf(row))),
    full: totals.full + here * Number(isFull(row, quotaOf(row))),
    upkeepFailing: totals.upkeepFailing + here * Number(row.failures > 0),
    changes: totals.changes + by * row.changes,
    conflicts: totals.conflicts + by * row.conflicts,
    reports: totals.reports + by * row.reports,
    defects: totals.defects,
  }
}
