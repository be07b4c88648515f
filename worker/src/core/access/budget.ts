import { BUDGET_WINDOW_SECONDS } from '../values/limits.ts'

/** Whose requests a space counts: those of one client, of one credential, and all; the narrowest first. */
export const BUDGETS = ['client', 'credential', 'space'] as const
export type Budget = (typeof BUDGETS)[number]

/** Requests a minute of each budget. */
export type Rates = { readonly [B in Budget]: number }

const WINDOW_MS = BUDGET_WINDOW_SECONDS * 1000

/**
 * What is spent of a budget: a bucket that drains. A request puts `WINDOW_MS` into it, a millisecond takes out as
 * much as the rate is. So every number is whole, and nobody is let in or refused by a rounding.
 */
export interface Spent {
  readonly level: number
  /** When it stood there, ms. */
  readonly at: number
}

/**
 * What is still spent at a moment; nothing without `spent`. Under a rate that was lowered no more than a minute is
 * owed. A clock that goes back pays nothing back, and counts from there.
 */
export function spentAt(spent: Spent | undefined, perMinute: number, now: number): Spent {
  if (spent === undefined) return { level: 0, at: now }
  const owed = Math.min(spent.level, perMinute * WINDOW_MS)
  return { level: Math.max(0, owed - Math.max(0, now - spent.at) * perMinute), at: now }
}

/** With one more request. */
export function plusOne({ level, at }: Spent): Spent {
  return { level: level + WINDOW_MS, at }
}

/** How long until one more request fits, whole seconds, rounded up; 0 if it fits now. */
export function waitSeconds({ level }: Spent, perMinute: number): number {
  const over = level + WINDOW_MS - perMinute * WINDOW_MS
  return Math.max(0, Math.ceil(over / (perMinute * 1000)))
}

/** Whether all must be paid back by a moment, whatever the rate. */
export function isWhole({ at }: Spent, now: number): boolean {
  return now - at >= WINDOW_MS
}

/** Of which budget it was, or the counter of the place before the object; how many that allows is not known (null). */
export interface RateLimited {
  readonly code: 'rate-limited'
  readonly policy: Budget | 'place'
  readonly limit: number | null
  readonly retryAfterSeconds: number
}

/**
 * What the platform's own counter of a place says. How many it allows the code does not know, nor when its period
 * began: who is refused now may be let in when the next one does.
 */
export const PLACE_EXHAUSTED: RateLimited = {
  code: 'rate-limited',
  policy: 'place',
  limit: null,
  retryAfterSeconds: BUDGET_WINDOW_SECONDS,
}
