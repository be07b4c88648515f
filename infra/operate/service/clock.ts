import { setTimeout } from 'node:timers/promises'

/** How the tools tell the time and wait, so that a test need not. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number
  /** Rejects as soon as the signal is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

export const SYSTEM_CLOCK: Clock = {
  now: Date.now,
  sleep: async (ms, signal) => setTimeout(ms, undefined, { ...(signal && { signal }) }),
}
