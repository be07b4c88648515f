/** What a request did to its space: the numbers that only the sync service knows. */
export interface Tally {
  /** Of the batch; rejected ones included. */
  readonly changes: number
  readonly conflicts: number
  readonly rejected: number
  /** 1 if the batch had been answered before, which then counted the rest. */
  readonly replays: 0 | 1
}
