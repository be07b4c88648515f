import type { Policy } from './policy.ts'

export const RESOLUTIONS = ['kept-server', 'kept-client', 'merged', 'open', 'resolved'] as const

/**
 * Two writes of which one could not stand as it came. `loser` stays readable, and is `NOTHING` for a deletion long
 * forgotten, as `winner` is. `open`: the version that stands is the winner until somebody decides.
 */
export interface Conflict {
  /** The sequence number of the change that caused it. */
  readonly id: number
  readonly policy: Policy
  readonly resolution: (typeof RESOLUTIONS)[number]
  readonly winner: number
  readonly loser: number
  /** The version that settled an open one; `NOTHING` else. */
  readonly resolvedBy: number
}
