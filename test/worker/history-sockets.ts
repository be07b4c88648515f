import type { Seat } from '../simulation/cast.ts'
import type { Heard, Sockets } from '../simulation/host.ts'
import type { Request } from '../simulation/wire.ts'
import { examineFrame } from '../support/witness.ts'
import type { Device, Reply } from './client.ts'
import { askPlainly } from './follower.ts'

/** What a push was answered; null if its socket broke before. */
type Acknowledged = Pick<Reply, 'status' | 'body'> | null

/** A socket, and the pushes on it that wait for their answer. */
interface Line {
  readonly socket: WebSocket
  readonly waiting: Map<string, (answer: Acknowledged) => void>
}

/** The sockets of a history's clients, which follow the real object. */
export class HistorySockets implements Sockets {
  readonly #lines = new Map<Seat, Line>()
  #pushes = 0

  has(seat: Seat): boolean {
    return this.#lines.has(seat)
  }

  get followers(): readonly Seat[] {
    return [...this.#lines.keys()]
  }

  /** Follows a client's space from where its copy stands. */
  async open(seat: Seat, { session }: Device, hear: (heard: Heard) => void): Promise<void> {
    const { asks } = seat.client.habits
    const query = new URLSearchParams({ cursor: seat.client.cursor ?? '' })
    if (asks !== undefined) query.set('collections', asks.join())
    const { status, webSocket } = await askPlainly(session, `?${query}`)
    if (webSocket === null) throw new Error(`no socket: ${status}`)
    const line: Line = { socket: webSocket, waiting: new Map() }
    webSocket.addEventListener('message', ({ data }) => {
      examineFrame(String(data))
      const { type, id, ...said } = JSON.parse(String(data))
      if (type === 'ack') line.waiting.get(id)?.(said)
      else if (type === 'error') throw new Error(`an error on a socket: ${data}`)
      else if (this.#lines.get(seat) === line) hear({ seat, frame: { type, ...said } })
    })
    webSocket.addEventListener('close', () => {
      for (const answer of line.waiting.values()) answer(null)
    })
    webSocket.accept()
    this.#lines.set(seat, line)
  }

  /** Pushes, and waits for what the object says. The runtime hands over what came first first. */
  async push(seat: Seat, body: Request): Promise<Acknowledged> {
    const line = this.#lines.get(seat)
    if (line === undefined) return null
    const id = String(this.#pushes++)
    const { promise, resolve } = Promise.withResolvers<Acknowledged>()
    line.waiting.set(id, resolve)
    line.socket.send(JSON.stringify({ type: 'push', id, body }))
    return promise
  }

  confirm(seat: Seat): void {
    const { cursor } = seat.client
    if (cursor !== null) this.#lines.get(seat)?.socket.send(JSON.stringify({ type: 'seen', cursor }))
  }

  cut(seat: Seat): void {
    this.#lines.get(seat)?.socket.close(1000)
    this.#lines.delete(seat)
  }
}
