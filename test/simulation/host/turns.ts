import type { Random } from '../values/random.ts'

/** More turns than any history takes. */
const MAX_TURNS = 20_000

/**
 * Decides alone which of the requests in flight continues. Everything that a request awaits ends at a gate, and gates
 * open one at a time. Requests interleave inside the server in every order, and a seed repeats its order however long
 * the machine's threads take.
 */
export class Turns {
  #tickets = 0
  #working = 0
  readonly #waiting = new Map<number, () => void>()

  /** Waits for work, and then for the turn of this caller. */
  async after<T>(work: Promise<T>): Promise<T> {
    const ticket = this.#tickets++
    this.#working += 1
    try {
      return await work
    } finally {
      this.#working -= 1
      await new Promise<void>((resolve) => this.#waiting.set(ticket, resolve))
    }
  }

  /** Lets all requests continue until each is done or waits at a gate. */
  async settle(): Promise<void> {
    do await new Promise(setImmediate)
    while (this.#working > 0)
  }

  get isIdle(): boolean {
    return this.#working === 0 && this.#waiting.size === 0
  }

  /** Opens one gate; false if no request waits. */
  async open(random: Random): Promise<boolean> {
    if (this.#waiting.size === 0) return false
    const ticket = random.pick([...this.#waiting.keys()].sort((a, b) => a - b))
    this.#waiting.get(ticket)?.()
    this.#waiting.delete(ticket)
    await this.settle()
    return true
  }

  async openAll(random: Random): Promise<void> {
    for (let opened = 0; await this.open(random); opened++) {
      if (opened > MAX_TURNS) throw new Error('a request never ends')
    }
  }
}
