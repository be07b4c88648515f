import type { Policy } from './policy.ts'

/**
 * Two writes of which only one could win. The loser stays readable. `winner` or `loser` is `NOTHING` for a deletion
 * that the space no longer remembers. While the resolution is `open`, the current version is the winner.
 */
export interface Conflict {
  /** The sequence number of the change that caused the conflict. */
  readonly id: number
  readonly policy: Policy
  readonly resolution: 'kept-server' | 'kept-client' | 'merged' | 'open' | 'resolved'
  readonly winner: number
  readonly loser: number
  /** The version that resolved an open conflict; `NOTHING` otherwise. */
  readonly resolvedBy: number
}
