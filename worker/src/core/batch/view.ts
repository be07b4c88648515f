import type { Clock } from '../values/clock.ts'
import type { Version } from '../values/version.ts'
import type { Policy } from './policy.ts'
import type { EntryState } from './stance.ts'

/** What a batch is decided against: one moment of a space, read without waiting. */
export interface View {
  /** The last sequence number given out. */
  readonly seq: number
  readonly clock: Clock
  /** Whether the batch has a number, by which a retry is recognised. */
  readonly numbered: boolean
  /** Whether the writer may not read: then nothing that it sends is compared with what another client wrote. */
  readonly blind?: boolean
  policy(key: string): Policy
  entry(key: string): EntryState | undefined
  /**
   * The content of a version: it never changes, so it may be opened long before. `undefined` if it has not been
   * opened yet, null if the log no longer holds it.
   */
  version(seq: number): Version | null | undefined
}
