import type { Random } from '../values/random.ts'

/** The share of histories whose commits fail now and then. */
const FULL = 0.4

/** The share of histories whose timers are late, so that more requests become ready at the same time. */
const BUSY = 0.5

/**
 * The machine under the process. Commits fail while the process lives, as on a full disk: single ones, or some one after
 * the other. Timers fire late. It has random numbers of its own, so that a history on a sound machine is the same with
 * and without it.
 */
export class Machine {
  readonly #random: Random
  /** The probability that a commit fails. */
  readonly #peril: number
  /** The most turns of other work by which a timer is late. */
  readonly #backlog: number
  /** How many of the next commits fail. */
  #left = 0
  /** Counts the commits that failed. */
  failures = 0
  /** Whether no commit fails any more. */
  isSound = false

  constructor(random: Random) {
    this.#random = random
    this.#peril = random.chance(FULL) ? random.pick([0.01, 0.05, 0.2]) : 0
    this.#backlog = random.chance(BUSY) ? random.between(2, 8) : 0
  }

  /** Whether the next commit fails. */
  fails(): boolean {
    if (this.isSound || this.#peril === 0) return false
    if (this.#left === 0 && this.#random.chance(this.#peril)) this.#left = this.#random.between(1, 3)
    if (this.#left === 0) return false
    this.#left -= 1
    this.failures += 1
    return true
  }

  /** The turns of other work by which the next timer is late. */
  lateness(): number {
    return this.#backlog === 0 ? 0 : this.#random.between(0, this.#backlog)
  }
}
