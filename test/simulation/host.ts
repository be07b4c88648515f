import type { Seat } from './cast.ts'
import type { Journal } from './journal.ts'
import type { Answer, ConflictReport, Entry, Frame, Policy, Request, Resolution } from './wire.ts'

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

/** The sockets of those who follow. While a client has one, its requests go over it or over HTTP. */
export interface Sockets {
  has(seat: Seat): boolean
  readonly followers: readonly Seat[]
  /** Says where its client's copy stands. */
  confirm(seat: Seat, cursor: string): void
  cut(seat: Seat): void
}

/** A request on its way to the server, and its answer on the way back. `live`: over the client's socket. */
export interface Letter {
  readonly seat: Seat
  readonly attempt: number
  readonly request: Request
  readonly live: boolean
}

/** A client's word of where its copy stands, on its way over the socket. */
export interface Stand {
  readonly seat: Seat
  readonly seen: string
  readonly live: true
}

export interface Return extends Letter {
  readonly answer: Answer
}

/** What a client hears without having asked. */
export interface Heard {
  readonly seat: Seat
  readonly frame: Frame
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
