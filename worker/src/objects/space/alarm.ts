import { ALARM_RETRY_MS, MAX_ALARM_RETRY_MS } from '../../core/values/limits.ts'

/** The object's one alarm. */
export interface Alarm {
  /** Sees to it that the object wakes by a time, ms. Setting an alarm costs a row: only an earlier one is set. */
  wakeBy(at: number): Promise<void>
  /** Wakes the object at a time, ms, and not before: in place of any alarm that is set. */
  postpone(at: number): Promise<void>
  /** After the alarm rang or was deleted: what was known of it no longer holds. */
  forget(): void
}

export function alarmOf(storage: Pick<DurableObjectStorage, 'getAlarm' | 'setAlarm'>): Alarm {
  let due: number | undefined
  let forgotten = 0
  let notBefore = 0

  async function learn(): Promise<void> {
    const before = forgotten
    const stored = (await storage.getAlarm()) ?? Number.POSITIVE_INFINITY
    // Meanwhile another call may have set an alarm, or the one that was read may have rung.
    if (forgotten === before) due ??= stored
  }

  async function set(at: number): Promise<void> {
    due = at
    try {
      await storage.setAlarm(at)
    } catch (cause) {
      due = undefined
      throw cause
    }
  }

  return {
    async wakeBy(wanted) {
      if (due === undefined) await learn()
      const at = Math.max(wanted, notBefore)
      if (due === undefined || due > at) await set(at)
    },

    postpone(at) {
      notBefore = at
      return set(at)
    },

    forget() {
      forgotten += 1
      due = undefined
      notBefore = 0
    },
  }
}

/** What an alarm rings for. */
export interface AlarmTask {
  readonly work: (now: number) => Promise<void>
  /** Hears of an error of the work. */
  readonly report: (thrown: unknown) => void
  readonly clock: () => number
}

/**
 * Runs the work of an alarm, and lets no error out: after six retries the platform would drop the alarm for good. After
 * a failure the object wakes again by itself, later each time and after an hour at most. If not even an alarm can be
 * set, the error does get out, because the platform's retries are all that is left.
 */
export function ringer(alarm: Alarm, sql: SqlStorage): (errand: AlarmTask) => Promise<void> {
  const failures = failureCount(sql)
  return async ({ work, report, clock }) => {
    alarm.forget()
    try {
      await work(clock())
      failures.put(0)
    } catch (thrown) {
      report(thrown)
      await alarm.postpone(clock() + waitAfter(failures.add()))
    }
  }
}

function waitAfter(failures: number): number {
  return Math.min(ALARM_RETRY_MS * 2 ** (failures - 1), MAX_ALARM_RETRY_MS)
}

/**
 * How often in a row the work has failed. In a row of its own, because the object is evicted between two alarms; in
 * memory as well, because that row may be what fails.
 */
function failureCount(sql: SqlStorage): { put(count: number): void; add(): number } {
  let count: number | undefined

  function known(): number {
    if (count === undefined) {
      const [row] = sql
        .exec<{ value: number }>(`SELECT value FROM meta WHERE name = 'alarm-failures'`)
        .toArray()
      count = row?.value ?? 0
    }
    return count
  }

  function put(next: number): void {
    if (known() === next) return
    count = next
    if (next === 0) sql.exec(`DELETE FROM meta WHERE name = 'alarm-failures'`)
    else sql.exec(`INSERT OR REPLACE INTO meta VALUES ('alarm-failures', ?)`, next)
  }

  return {
    put,
    add() {
      try {
        put(known() + 1)
      } catch {
        // Memory has counted it, unless nothing could be read either.
        if (count === undefined) count = 1
      }
      return count ?? 1
    },
  }
}
