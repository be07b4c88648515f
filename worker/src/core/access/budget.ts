import { BUDGET_WINDOW_SECONDS } from '../values/access-limits.ts'

/** The request budgets of a space, narrowest first: one client, one credential, the whole space. */
export const BUDGETS = ['client', 'credential', 'space'] as const
export type Budget = (typeof BUDGETS)[number]

/** Requests per minute of each budget. */
export type Rates = { readonly [B in Budget]: number }

const WINDOW_MS = BUDGET_WINDOW_SECONDS * 1000

/**
 * The fill level of a leaky bucket. A request adds `WINDOW_MS`, each millisecond drains `perMinute`. All numbers stay
 * integers, so rounding never admits or refuses a request.
 */
export interface Spent {
  readonly level: number
  /** The time at which `level` was measured, ms. */
  readonly at: number
}

/**
 * Drains the bucket up to `now`. An absent bucket is empty. If the rate was lowered, the level is capped at one minute.
 * If the clock went back, nothing drains and counting restarts at `now`.
 */
export function spentAt(spent: Spent | undefined, perMinute: number, now: number): Spent {
  if (spent === undefined) return { level: 0, at: now }
  const owed = Math.min(spent.level, perMinute * WINDOW_MS)
  return { level: Math.max(0, owed - Math.max(0, now - spent.at) * perMinute), at: now }
}

/** Adds one request to the bucket. */
export function plusOne({ level, at }: Spent): Spent {
  return { level: level + WINDOW_MS, at }
}

/** Seconds until one more request fits, rounded up; 0 if it fits now. */
export function waitSeconds({ level }: Spent, perMinute: number): number {
  const over = level + WINDOW_MS - perMinute * WINDOW_MS
  return Math.max(0, Math.ceil(over / (perMinute * 1000)))
}

/** Whether the bucket must be empty at `now`, whatever its rate. */
export function isWhole({ at }: Spent, now: number): boolean {
  return now - at >= WINDOW_MS
}

/**
 * The budget that is exhausted, or `place` for the platform's counter in front of the object. The limit of that counter
 * is not known here (null).
 */
export interface RateLimited {
  readonly code: 'rate-limited'
  readonly policy: Budget | 'place'
  readonly limit: number | null
  readonly retryAfterSeconds: number
}

/**
 * The fault for an exhausted platform counter. The code knows neither its limit nor the start of its period, so a
 * caller that is refused may be admitted in the next period.
 */
export const PLACE_EXHAUSTED: RateLimited = {
  code: 'rate-limited',
  policy: 'place',
  limit: null,
  retryAfterSeconds: BUDGET_WINDOW_SECONDS,
}
