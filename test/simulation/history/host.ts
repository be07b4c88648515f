import type { Journal } from '../checks/journal.ts'
import type { Seat } from '../clients/cast.ts'
import type { Letter, Sockets } from '../network/letters.ts'
import type { Answer, ConflictReport, Entry, Policy, Resolution } from '../values/wire.ts'

/** Runs a history on a space whose process can be killed. */
export interface Host {
  handle(letter: Letter, now: number): Promise<Answer>
  /** Lets one waiting request continue inside the server; false if no request waits. */
  proceed(): Promise<boolean>
  /** Waits until no request can continue by itself, and restarts the process if it died. */
  settle(): Promise<void>
  /** Records the rows that were written since the last call. */
  note(journal: Journal): Promise<void>
  conflicts(granted: readonly string[] | null): Promise<readonly ConflictReport[]>
  /** The versions of a key that an unrestricted reader is shown, newest first. */
  history(key: string): Promise<readonly Entry[]>
  resolve(seat: Seat, resolution: Resolution, now: number): Promise<Answer>
  /** May kill the process while it handles the next request. */
  threaten(): void
  /** Conflicts resolved and versions replaced before this time may be dropped, ms. */
  readonly horizon: number
  /** All policies that each collection has had. */
  readonly policies: ReadonlyMap<string, ReadonlySet<Policy>>
  /** Whether a full space may refuse requests. */
  readonly isScarce?: boolean
  /** Empty where clients only send requests. */
  readonly sockets: Sockets
}

export type Figure =
  | 'requests'
  | 'changes'
  | 'replays'
  | 'forgotten'
  | 'refusals'
  | 'lost'
  | 'duplicates'
  | 'kills'
  | 'failedCommits'
  | 'conflicts'
  | 'resets'
  | 'snapshots'
  | 'merges'
  | 'resolutions'
  | 'passes'
  | 'frames'
  | 'cuts'
  | 'pushes'
  | 'naps'
  | 'erasures'
  | 'edits'
  | 'batches'
  | 'lostAnswers'
  | 'reloads'
  | 'twoTabs'
  | 'freezes'
  | 'steals'
  | 'failedWrites'
  | 'clearings'
  | 'expiries'
  | 'quotaRefusals'
  | 'decisions'
