import type { Journal } from '../checks/journal.ts'
import type { Seat } from '../clients/cast.ts'
import type { Letter, Sockets } from '../network/letters.ts'
import type { Answer, ConflictReport, Entry, Policy, Resolution } from '../values/wire.ts'

/** What carries out a history: a space with a process that can be killed. */
export interface Host {
  handle(letter: Letter, now: number): Promise<Answer>
  /** Lets one of those that wait inside the server go on; false if nobody does. */
  proceed(): Promise<boolean>
  /** Waits until all who can go on by themselves have done so, and starts the process again if it died. */
  settle(): Promise<void>
  /** Takes down what was written since the last time. */
  note(journal: Journal): Promise<void>
  conflicts(granted: readonly string[] | null): Promise<readonly ConflictReport[]>
  /** The versions of a key that a reader of everything is shown, newest first. */
  history(key: string): Promise<readonly Entry[]>
  resolve(seat: Seat, resolution: Resolution, now: number): Promise<Answer>
  /** May let something happen to the process while it handles the next request. */
  threaten(): void
  /** What was settled or replaced before it may be gone, ms. */
  readonly horizon: number
  /** The policies that a collection ever had. */
  readonly policies: ReadonlyMap<string, ReadonlySet<Policy>>
  /** Nobody has one where clients can only ask. */
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
