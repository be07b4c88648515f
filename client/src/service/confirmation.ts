import type { Platform } from '../values/platform.ts'

/**
 * What the service waits for without a word stays a quarter of what it bears (LV7): eight frames or 16 KiB, and not for
 * half a minute.
 */
const MOST_WEIGHT = 16_384
const FRAME_WEIGHT = 2_048
const LATE_MS = 5_000

/** Tells the service where the copy stands, several frames at once: to confirm each would double the messages. */
export interface Confirmation {
  /** Counts a message that leads to a position. */
  received(cursor: string, length: number): void
  /** Confirms the position of the copy: soon if a message led there, or else at once, because the service waits for it. */
  seen(cursor: string): void
  /** Forgets what is not confirmed yet: an accepted push has told it, or the socket has ended. */
  cancel(): void
}

export function confirmationOf(
  { after, isVisible }: Pick<Platform, 'after' | 'isVisible'>,
  confirm: (cursor: string) => void,
): Confirmation {
  let led: string | undefined
  let position = ''
  let weight = 0
  let stopTimer: (() => void) | undefined

  function cancel(): void {
    stopTimer?.()
    stopTimer = undefined
    weight = 0
  }

  function confirmNow(): void {
    cancel()
    confirm(position)
  }

  return {
    received(cursor, length) {
      led = cursor
      weight += FRAME_WEIGHT + length
    },
    seen(cursor) {
      position = cursor
      // The timers of a hidden page may be late by a minute.
      const canWait = cursor === led && weight < MOST_WEIGHT && isVisible()
      if (canWait) stopTimer ??= after(LATE_MS, confirmNow)
      else confirmNow()
    },
    cancel,
  }
}
