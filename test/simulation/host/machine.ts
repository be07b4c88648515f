import type { Random } from '../values/random.ts'

/** The share of histories whose commits fail now and then. */
const HISTORIES = 0.4

/**
 * A disk on which commits fail while the process lives, as on a full one: single commits, or some one after the other. It
 * has random numbers of its own, so that a history without failures is the same with and without it.
 */
export class Disk {
  readonly #random: Random
  /** The probability that a commit fails. */
  readonly #peril: number
  /** How many of the next commits fail. */
  #left = 0
  /** Counts the commits that failed. */
  failures = 0
  /** Whether no commit fails any more. */
  isSound = false

  constructor(random: Random) {
    this.#random = random
    this.#peril = random.chance(HISTORIES) ? random.pick([0.01, 0.05, 0.2]) : 0
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
}
