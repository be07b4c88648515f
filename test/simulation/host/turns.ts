import type { Random } from '../values/random.ts'

/** More turns than any history takes to come to its end. */
const MAX_TURNS = 20_000

/**
 * Decides, and nothing else does, which of the requests under way goes on: whatever one waits for ends at a
 * gate, and gates open one at a time. So requests meet inside the server in every order, and each order comes
 * again with its seed, however long the machine's own threads take.
 */
export class Turns {
  #tickets = 0
  #working = 0
  readonly #waiting = new Map<number, () => void>()

  /** The result of some work, once it is this caller's turn. */
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

  /** Lets everybody go on until each is done or waits at a gate. */
  async settle(): Promise<void> {
    do await new Promise(setImmediate)
    while (this.#working > 0)
  }

  get isIdle(): boolean {
    return this.#working === 0 && this.#waiting.size === 0
  }

  /** Opens one gate; false if nobody waits. */
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
