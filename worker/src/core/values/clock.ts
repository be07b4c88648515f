import { CLOCK_TOLERANCE_MS } from './limits.ts'

/** When a batch arrived, by the space's clock, and how far the client's clock is behind; both in ms. */
export interface Clock {
  readonly now: number
  readonly skew: number
}

/** The clock of a request. A difference that the network can explain is not corrected. */
export function clockOf(now: number, clientTime: number | undefined): Clock {
  const skew = clientTime === undefined ? 0 : now - clientTime
  return { now, skew: Math.abs(skew) <= CLOCK_TOLERANCE_MS ? 0 : skew }
}

/** The effective time, which decides: the client's time, corrected by its skew and never in the future. */
export function effectiveTime(timestamp: number, clock: Clock): number {
  return Math.max(0, Math.min(timestamp + clock.skew, clock.now))
}

/** Whether a time is milliseconds since 1970, in the range in which a double holds every whole number. */
export function isTimestamp(timestamp: number): boolean {
  return timestamp >= 0 && Number.isSafeInteger(Math.floor(timestamp))
}

/** The client's time of a change in whole ms. If absent, it is the time of arrival by the client's own clock. */
export function wholeTime(timestamp: number | undefined, { now, skew }: Clock): number {
  return timestamp === undefined ? now - skew : Math.floor(timestamp)
}
