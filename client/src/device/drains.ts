import { type Deferred, deferred } from '../values/deferred.ts'
import { ChronicleError } from '../values/errors.ts'
import type { Platform } from '../values/platform.ts'

/** How long another tab may take to send and read everything, ms. */
const DRAIN_MS = 60_000

/** Calls of `sync()` in a tab that does not lead, which wait for the leader. */
export class Drains {
  readonly #platform: Platform
  readonly #waiting = new Map<string, Deferred<void>>()

  constructor(platform: Platform) {
    this.#platform = platform
  }

  /** Waits for the leader to answer. `ask` tells it. */
  wait(ask: (id: string) => void): Promise<void> {
    const id = this.#platform.newId()
    const done = deferred<void>()
    this.#waiting.set(id, done)
    const cancel = this.#platform.after(DRAIN_MS, () => this.end(id, 'the tab that leads does not answer'))
    done.promise.then(cancel, cancel)
    ask(id)
    return done.promise
  }

  end(id: string, error?: string): void {
    const done = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (error === undefined) done?.resolve()
    else done?.reject(new ChronicleError('offline', error))
  }

  stop(): void {
    for (const id of [...this.#waiting.keys()]) this.end(id, 'the client is closed')
  }
}
