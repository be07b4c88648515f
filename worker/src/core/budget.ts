import type { RateLimited } from './fault.ts'
import { BUDGET_WINDOW_SECONDS } from './limits.ts'

/** Whose requests a space counts: those of one client, of one credential, and all; the narrowest first. */
export const BUDGETS = ['client', 'credential', 'space'] as const
export type Budget = (typeof BUDGETS)[number]

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
