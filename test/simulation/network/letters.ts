import type { Seat } from '../clients/cast.ts'
import type { Answer, Frame, Request } from '../values/wire.ts'

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
