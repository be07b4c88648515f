import { ALARM_RETRY_MS, MAX_ALARM_RETRY_MS } from '../../core/values/limits.ts'

/** The object's one alarm. */
export interface Alarm {
  /** Makes the object wake by a time, ms. Sets only an earlier alarm, because each one costs a row write. */
  wakeBy(at: number): Promise<void>
  /** Makes the object wake at a time, ms, and not before. Replaces any alarm that is set. */
  postpone(at: number): Promise<void>
  /** Drops what is cached about the alarm. Call it after the alarm has fired or was deleted. */
  forget(): void
}

export function alarmOf(storage: Pick<DurableObjectStorage, 'getAlarm' | 'setAlarm'>): Alarm {
  let due: number | undefined
  let forgotten = 0
  let notBefore = 0

  async function learn(): Promise<void> {
    const before = forgotten
    const stored = (await storage.getAlarm()) ?? Number.POSITIVE_INFINITY
    // During the read another call may have set an alarm, or the stored alarm may have fired.
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

/** The work of an alarm. */
export interface AlarmTask {
  readonly work: (now: number) => Promise<void>
  /** Called with an error of the work. */
  readonly report: (thrown: unknown) => void
  readonly clock: () => number
}

/**
 * Runs the work of an alarm and catches its errors: after six retries the platform drops an alarm for good. After a
 * failure the object sets its own next alarm, with a delay that doubles up to an hour. An error escapes only if that
 * alarm cannot be set, because then the platform's retries are all that is left.
 */
export function alarmRunner(alarm: Alarm, sql: SqlStorage): (task: AlarmTask) => Promise<void> {
  const failures = failureCount(sql)
  return async ({ work, report, clock }) => {
    alarm.forget()
    try {
      await work(clock())
      failures.put(0)
    } catch (thrown) {
      report(thrown)
      await alarm.postpone(clock() + retryDelayMs(failures.add()))
    }
  }
}

function retryDelayMs(failures: number): number {
  return Math.min(ALARM_RETRY_MS * 2 ** (failures - 1), MAX_ALARM_RETRY_MS)
}

/**
 * Counts consecutive failures of the work. The count has a row of its own, because the object is evicted between two
 * alarms. It is in memory as well, because that row may be what fails.
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
        // The count in memory is up to date, unless the row could not be read either.
        if (count === undefined) count = 1
      }
      return count ?? 1
    },
  }
}
