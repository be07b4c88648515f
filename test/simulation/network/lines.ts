import type { Seat } from '../clients/cast.ts'
import type { Answer, Request } from '../values/wire.ts'
import type { Heard, Sockets } from './letters.ts'

/** The client's end of a socket, in any runtime. */
export interface ClientEnd {
  send(text: string): void
  close(code?: number): void
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void
  addEventListener(
    type: 'close',
    listener: (ending: { readonly code: number; readonly reason: string }) => void,
  ): void
}

/** The events of a socket that a history handles. */
export interface Ears {
  hear(heard: Heard): void
  /** The socket broke, on either side. */
  broken(seat: Seat): void
}

/** A socket, and the pushes in flight on it. */
interface Line {
  readonly end: ClientEnd
  readonly waiting: Map<string, (answer: Answer) => void>
}

/** The sockets of a history's clients. */
export class Lines implements Sockets {
  readonly #lines = new Map<Seat, Line>()
  #pushes = 0

  has(seat: Seat): boolean {
    return this.#lines.has(seat)
  }

  get followers(): readonly Seat[] {
    return [...this.#lines.keys()]
  }

  /** Adds a socket that was opened for a client. */
  take(seat: Seat, end: ClientEnd, ears: Ears): void {
    const line: Line = { end, waiting: new Map() }
    this.#lines.set(seat, line)
    end.addEventListener('message', ({ data }) => {
      const { type, id, ...said } = JSON.parse(String(data))
      if (type === 'ack') line.waiting.get(id)?.(answerOf(said))
      else if (type === 'error') throw new Error(`an error on a socket: ${data}`)
      else if (this.#lines.get(seat) === line) ears.hear({ seat, frame: { type, ...said } })
    })
    end.addEventListener('close', () => {
      for (const answer of line.waiting.values()) answer({ kind: 'lost' })
      if (this.#lines.get(seat) !== line) return
      this.#lines.delete(seat)
      ears.broken(seat)
    })
  }

  /** Pushes, and waits for the reply. A socket keeps the order of messages. */
  async push(seat: Seat, body: Request): Promise<Answer> {
    const line = this.#lines.get(seat)
    if (line === undefined) return { kind: 'lost' }
    const id = String(this.#pushes++)
    const { promise, resolve } = Promise.withResolvers<Answer>()
    line.waiting.set(id, resolve)
    line.end.send(JSON.stringify({ type: 'push', id, body }))
    return promise
  }

  confirm(seat: Seat, cursor: string): void {
    this.#lines.get(seat)?.end.send(JSON.stringify({ type: 'seen', cursor }))
  }

  cut(seat: Seat): void {
    const line = this.#lines.get(seat)
    this.#lines.delete(seat)
    line?.end.close(1000)
  }
}

// biome-ignore lint/suspicious/noExplicitAny: an ack is read as an untyped client does
function answerOf({ status, body }: any): Answer {
  return status === 200 ? { kind: 'reply', reply: body } : { kind: 'refused', code: body.code }
}
