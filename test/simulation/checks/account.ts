import type { Verdicts } from '../values/violation.ts'
import type { Change, ConflictReport, Policy, ResultLine } from '../values/wire.ts'
import type { Journal, Stored } from './journal.ts'

/** All that is known once a history is over. */
export interface Account {
  readonly verdicts: Verdicts
  readonly journal: Journal
  /** The conflicts that a reader of everything can read, by their ids. */
  readonly listed: ReadonlyMap<number, ConflictReport>
  /** The conflicts that somebody has tried to close. */
  readonly asked: ReadonlySet<number>
  /** What was settled or replaced before it may be gone, ms. */
  readonly horizon: number
  /** The policies that a collection ever had. */
  readonly policies: ReadonlyMap<string, ReadonlySet<Policy>>
  readonly merges: Merges
  /** The changes that versions came of, and the versions that came of changes, where the reply is known. */
  readonly sources: ReadonlyMap<number, Change>
  readonly effects: ReadonlyMap<Change, ReadonlySet<number>>
}

/** Versions that came of merges: as they were sent, or made by the space, which their writer has yet to see. */
export interface Merges {
  readonly sent: ReadonlySet<number>
  readonly made: ReadonlySet<number>
}

/** One change and what the server said of it when it first came. */
export interface Decision {
  readonly change: Change
  /** Whether its batch has a number. */
  readonly numbered: boolean
  readonly by: string
  /** Whether its token lets it read. */
  readonly reads: boolean
  /** Its effective time. */
  readonly at: number
  readonly result: ResultLine
  readonly conflict: ConflictReport | undefined
  /** The versions that changes before it in its batch were given. */
  readonly inBatch: ReadonlySet<number>
}

export function describe(of: Change | Stored | undefined): string {
  return of === undefined ? 'nothing' : JSON.stringify(of)
}
