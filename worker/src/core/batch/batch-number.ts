import { accepted, type Result, refused } from '../values/result.ts'

/** The batch number of a client that has sent no batch. The first batch is number 1. */
export const NO_BATCH = 0

/** `epoch` is present if the space knows no batch of the client. */
export interface BatchGap {
  readonly code: 'batch-gap'
  readonly expected: number
  readonly found: number
  readonly epoch?: string
}

/** The reason why a numbered batch is refused by its number alone. */
export type BatchFault =
  | BatchGap
  | { readonly code: 'batch-too-old'; readonly last: number; readonly found: number }

/**
 * Whether a batch repeats the client's last one (true) or is the next one (false). Any other number is refused: a gap
 * would lose a batch, and an older batch was acknowledged long ago. If the space knows no batch of the client, the gap
 * names the epoch, because the space may have been erased since the client last wrote.
 */
export function isReplay(found: number, last: number, epoch: string): Result<boolean, BatchFault> {
  if (found === last) return accepted(true)
  if (found === last + 1) return accepted(false)
  if (found < last) return refused({ code: 'batch-too-old', last, found })
  return refused({ code: 'batch-gap', expected: last + 1, found, ...(last === NO_BATCH && { epoch }) })
}
