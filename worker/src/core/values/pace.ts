import { BODY_DEADLINE_MS, MIN_BODY_BYTES } from './limits.ts'

/** How a body arrives: the bytes that came since enough had come the last time, and how long they were waited for, ms. */
export interface Pace {
  readonly bytes: number
  readonly waitedMs: number
}

export const AT_START: Pace = { bytes: 0, waitedMs: 0 }

/** How long the next part may be waited for, ms: a body that is merely slow gets there, one that stalls does not. */
export function patienceOf({ waitedMs }: Pace): number {
  return Math.max(0, BODY_DEADLINE_MS - waitedMs)
}

/** The pace after a part that was waited for so long. What the service does between two parts is not held against it. */
export function afterPart(pace: Pace, bytes: number, waitedMs: number): Pace {
  const all = pace.bytes + bytes
  return all >= MIN_BODY_BYTES ? AT_START : { bytes: all, waitedMs: pace.waitedMs + waitedMs }
}
