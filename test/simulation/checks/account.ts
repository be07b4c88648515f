import type { Verdicts } from '../values/violation.ts'
import type { Change, ConflictReport, Policy, ResultLine } from '../values/wire.ts'
import type { Journal, Stored } from './journal.ts'

/** Everything that is known at the end of a history. */
export interface Account {
  readonly verdicts: Verdicts
  readonly journal: Journal
  /** The conflicts that an unrestricted reader can read, by id. */
  readonly listed: ReadonlyMap<number, ConflictReport>
  /** The conflicts that some client has tried to resolve. */
  readonly asked: ReadonlySet<number>
  /** Conflicts resolved and versions replaced before this time may be dropped, ms. */
  readonly horizon: number
  /** All policies that each collection has had. */
  readonly policies: ReadonlyMap<string, ReadonlySet<Policy>>
  readonly merges: Merges
  /** The change that made each version, and the versions that each change made, where the reply is known. */
  readonly sources: ReadonlyMap<number, Change>
  readonly effects: ReadonlyMap<Change, ReadonlySet<number>>
}

/** The versions of merges: those stored as sent, and those that the space made and their writer has not seen. */
export interface Merges {
  readonly sent: ReadonlySet<number>
  readonly made: ReadonlySet<number>
}

/** One change, and the server's first reply to it. */
export interface Decision {
  readonly change: Change
  /** Whether its batch has a number. */
  readonly numbered: boolean
  readonly by: string
  /** Whether its token lets it read. */
  readonly reads: boolean
  /** The effective time of the change. */
  readonly at: number
  readonly result: ResultLine
  readonly conflict: ConflictReport | undefined
  /** The versions of the earlier changes of the same batch. */
  readonly inBatch: ReadonlySet<number>
}

export function describe(of: Change | Stored | undefined): string {
  return of === undefined ? 'nothing' : JSON.stringify(of)
}
