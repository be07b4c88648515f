import { BODY_DEADLINE_MS, MIN_BODY_BYTES } from './limits.ts'

/**
 * The pace of a body that is arriving: bytes since the last full quota of bytes, and the time spent waiting for them,
 * ms.
 */
export interface Pace {
  readonly bytes: number
  readonly waitedMs: number
}

export const AT_START: Pace = { bytes: 0, waitedMs: 0 }

/** How long to wait for the next part, ms. A slow body arrives in time, a stalled one does not. */
export function patienceOf({ waitedMs }: Pace): number {
  return Math.max(0, BODY_DEADLINE_MS - waitedMs)
}

/** The pace after a part arrived. Time that the service itself spends between two parts does not count. */
export function afterPart(pace: Pace, bytes: number, waitedMs: number): Pace {
  const all = pace.bytes + bytes
  return all >= MIN_BODY_BYTES ? AT_START : { bytes: all, waitedMs: pace.waitedMs + waitedMs }
}
