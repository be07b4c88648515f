/** The effects of a request on its space: numbers that only the sync service knows. */
export interface Tally {
  /** The changes of the batch, rejected ones included. */
  readonly changes: number
  readonly conflicts: number
  readonly rejected: number
  /** 1 for a replay. The other numbers were counted when the batch was first decided. */
  readonly replays: 0 | 1
}
