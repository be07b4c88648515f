import { DAY_MS } from '../../../worker/src/core/values/limits.ts'
import { nameOf } from '../checks/replies.ts'
import type { Seat } from '../clients/cast.ts'
import type { Return } from '../network/letters.ts'
import type { Verdicts } from '../values/violation.ts'
import type { Request } from '../values/wire.ts'
import type { Figure, Host } from './host.ts'

/** The history in which the answers are given. */
interface Surroundings {
  readonly verdicts: Verdicts
  readonly host: Host
  readonly now: number
  count(figure: Figure): void
}

/** Gives clients the answers to their requests. Each refusal must have a reason in the history. */
export class Answers {
  readonly #history: Surroundings
  /** The time at which each numbered batch was first sent, ms. */
  readonly #firstSent = new Map<string, number>()

  constructor(history: Surroundings) {
    this.#history = history
  }

  /** Notes that a request was sent now, perhaps again. */
  noteSent({ client }: Seat, request: Request): void {
    const name = nameOf(client.habits, request)
    if (!this.#firstSent.has(name)) this.#firstSent.set(name, this.#history.now)
  }

  /** Gives a client an answer that it waits for. */
  take({ seat, request, answer, live }: Return): void {
    seat.open = null
    if (answer.kind === 'reply') seat.client.receive(request, answer.reply, live)
    if (answer.kind === 'refused') this.#refuse(seat, request, answer.code)
  }

  #refuse({ client }: Seat, request: Request, code: string): void {
    const { now, host, verdicts } = this.#history
    const rolledBack = code === 'atomic-failed' && request.atomic === true
    if (rolledBack) {
      client.rollBack()
      return
    }
    // The results of a batch are kept for at least a day, the shortest retention that a history configures.
    const isOld = now - (this.#firstSent.get(nameOf(client.habits, request)) ?? now) >= DAY_MS
    if (code === 'batch-forgotten' && isOld) {
      this.#history.count('forgotten')
      client.forget()
      return
    }
    // The client sends its batch again, until there is room.
    if (code === 'quota-exceeded' && host.isScarce) return
    const explained = code === 'batch-mismatch' && client.renumber()
    const invariant = code.startsWith('batch') ? 'IN4' : 'IN7'
    verdicts.expect(explained, invariant, () => `${client.habits.id} was refused: ${code}`)
  }
}
