/** The object's one alarm. */
export interface Alarm {
  /** Sees to it that the object wakes by a time, ms. Setting an alarm costs a row: only an earlier one is set. */
  wakeBy(at: number): Promise<void>
  /** After the alarm rang or was deleted: what was known of it no longer holds. */
  forget(): void
}

export function alarmOf(storage: Pick<DurableObjectStorage, 'getAlarm' | 'setAlarm'>): Alarm {
  let due: number | undefined
  return {
    async wakeBy(at) {
      due ??= (await storage.getAlarm()) ?? Number.POSITIVE_INFINITY
      if (due <= at) return
      due = at
      await storage.setAlarm(at)
    },

    forget() {
      due = undefined
    },
  }
}
