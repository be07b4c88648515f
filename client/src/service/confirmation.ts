import type { Platform } from '../values/platform.ts'

/**
 * The characters that are confirmed at once, and when at the latest. They have 8 KiB at most, and are fewer than 32
 * frames, so the service has room for a large one (LV7).
 */
const MOST_LENGTH = 2_730
const LATE_MS = 5_000

/** Tells the service where the copy stands, for several messages at once: to confirm each would double their number. */
export interface Confirmation {
  /** Notes a message that leads to a position. */
  received(cursor: string, length: number): void
  /** Confirms the position of the copy: soon if a message led there, or else at once, because the service waits for it. */
  seen(cursor: string): void
  /** Notes that an accepted push has told the position, or that the socket has ended. */
  told(): void
  /** Confirms what is left before the socket closes. */
  flush(): void
}

export function confirmationOf(
  { after, isVisible }: Pick<Platform, 'after' | 'isVisible'>,
  confirm: (cursor: string) => void,
): Confirmation {
  /** The messages that are not confirmed. The copy has taken the first `count` of them; 0 if none leads to its position. */
  const messages: (readonly [cursor: string, length: number])[] = []
  let count = 0
  let position = ''
  /** The characters that may wait. None may before the service knows a first position. */
  let most = 0
  let stopTimer: (() => void) | undefined

  function told(): void {
    stopTimer?.()
    stopTimer = undefined
    most = MOST_LENGTH
    // After a pull, what came before no longer fits the copy.
    messages.splice(0, count || messages.length)
    count = 0
  }

  function confirmNow(): void {
    told()
    confirm(position)
  }

  return {
    received(cursor, length) {
      messages.push([cursor, length])
    },
    seen(cursor) {
      position = cursor
      count = messages.findIndex(([led]) => led === cursor) + 1
      let length = 0
      for (const [, size] of messages.slice(0, count)) length += size
      // The timers of a hidden page may be late by a minute.
      if (length > 0 && length < most && isVisible()) stopTimer ??= after(LATE_MS, confirmNow)
      else confirmNow()
    },
    told,
    flush() {
      if (stopTimer) confirmNow()
    },
  }
}
