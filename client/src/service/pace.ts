import type { Platform } from '../values/platform.ts'
import { waitAfter } from './mend.ts'

/** How often a device without a socket asks for changes, ms. */
export const POLL_MS = 30_000

/** When the line may speak: after a failure it waits longer each time, and at least as long as the service asks. */
export class Pace {
  readonly #platform: Platform
  readonly #onDue: () => void
  #failures = 0
  /** The service asked to wait until then, ms since 1970. */
  #notBefore = 0
  #stopTimer = () => {}

  constructor(platform: Platform, onDue: () => void) {
    this.#platform = platform
    this.#onDue = onDue
  }

  get isFailing(): boolean {
    return this.#failures > 0
  }

  get isAskedToWait(): boolean {
    return this.#platform.now() < this.#notBefore
  }

  /** The last request was answered. */
  succeed(): void {
    this.#failures = 0
  }

  /** Plans the next attempt. */
  fail(thrown: unknown): void {
    const { ms, isAsked } = waitAfter(thrown, this.#failures, this.#platform.random())
    if (isAsked) this.#notBefore = this.#platform.now() + ms
    this.#failures += 1
    this.later(ms)
  }

  later(ms: number): void {
    this.#stopTimer()
    this.#stopTimer = this.#platform.after(ms, this.#onDue)
  }

  cancel(): void {
    this.#stopTimer()
  }
}
