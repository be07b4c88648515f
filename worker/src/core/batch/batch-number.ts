import { accepted, type Result, refused } from '../values/result.ts'

/** The number that a client's last batch has before its first one, which is 1. */
export const NO_BATCH = 0

/** `epoch`: where the space knows no batch of the client at all. */
export interface BatchGap {
  readonly code: 'batch-gap'
  readonly expected: number
  readonly found: number
  readonly epoch?: string
}

/** Why a numbered batch is refused by its number alone. */
export type BatchFault =
  | BatchGap
  | { readonly code: 'batch-too-old'; readonly last: number; readonly found: number }

/**
 * Whether a batch is a repetition of the client's last one (true) or its next one. Refuses any other: a number left out
 * would be a batch lost, and an older one was answered long ago. Where there was none before, the gap names the epoch: the
 * client may be one of a space that was erased.
 */
export function isReplay(found: number, last: number, epoch: string): Result<boolean, BatchFault> {
  if (found === last) return accepted(true)
  if (found === last + 1) return accepted(false)
  if (found < last) return refused({ code: 'batch-too-old', last, found })
  return refused({ code: 'batch-gap', expected: last + 1, found, ...(last === NO_BATCH && { epoch }) })
}
