import { setTimeout } from 'node:timers/promises'

/** The time and the waits of the tools, which tests replace. */
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
