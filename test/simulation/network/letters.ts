import type { Seat } from '../clients/cast.ts'
import type { Answer, Frame, Request } from '../values/wire.ts'

/** The sockets of followers. A client with a socket sends its requests over the socket or over HTTP. */
export interface Sockets {
  has(seat: Seat): boolean
  readonly followers: readonly Seat[]
  /** Confirms the position of the client's copy. */
  confirm(seat: Seat, cursor: string): void
  cut(seat: Seat): void
}

/** A request in flight to the server. `live`: over the client's socket. */
export interface Letter {
  readonly seat: Seat
  readonly attempt: number
  readonly request: Request
  readonly live: boolean
}

/** A client's confirmation of its position, in flight on the socket. */
export interface Stand {
  readonly seat: Seat
  readonly seen: string
  readonly live: true
}

export interface Return extends Letter {
  readonly answer: Answer
}

/** A frame in flight to a client. */
export interface Heard {
  readonly seat: Seat
  readonly frame: Frame
}
