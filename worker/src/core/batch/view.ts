import type { Clock } from '../values/clock.ts'
import type { Version } from '../values/version.ts'
import type { Policy } from './policy.ts'
import type { EntryState } from './stance.ts'

/** The state of a space at one moment, against which a batch is decided. Read synchronously. */
export interface View {
  /** The last sequence number assigned. */
  readonly seq: number
  readonly clock: Clock
  /** Whether the batch has a number, by which a retry is recognised. */
  readonly numbered: boolean
  /** Whether the writer lacks read access. Then its changes are not compared with other clients' values. */
  readonly blind?: boolean
  policy(key: string): Policy
  entry(key: string): EntryState | undefined
  /**
   * The content of a version. Content never changes, so it may be opened long before. `undefined` if it is not opened
   * yet, null if the log no longer holds it.
   */
  version(seq: number): Version | null | undefined
}
