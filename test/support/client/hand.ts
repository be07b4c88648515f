import { setImmediate } from 'node:timers/promises'
import type { Platform } from '../../../client/src/values/platform.ts'
import { HandSockets } from './hand-sockets.ts'

interface Timer {
  readonly at: number
  readonly callback: () => void
}

/** Device whose clock, sockets and sight a test drives by hand. */
export class Hand {
  now = 1_800_000_000_000
  random = 0.5
  isVisible = true
  isOnline = true
  readonly sockets = new HandSockets()
  readonly #timers = new Set<Timer>()
  readonly #wakers = new Set<() => void>()
  #ids = 0

  /** The platform of one tab. `fetch` is the service; without sockets the client polls. */
  platform(fetch: unknown, more: Partial<Platform> = {}): Platform {
    return {
      fetch: fetch as Platform['fetch'],
      WebSocket: undefined,
      now: () => this.now,
      random: () => this.random,
      newId: () => `id-${++this.#ids}`,
      after: (ms, callback) => this.#after(ms, callback),
      locks: undefined,
      openChannel: undefined,
      onWake: (listener) => {
        this.#wakers.add(listener)
        return () => void this.#wakers.delete(listener)
      },
      isVisible: () => this.isVisible,
      isOnline: () => this.isOnline,
      persist: async () => true,
      ...more,
    }
  }

  get withSockets(): Pick<Platform, 'WebSocket'> {
    return { WebSocket: this.sockets.constructorOf() }
  }

  /** Lets time pass, one timer after the other, each with everything that follows at once. */
  async pass(ms: number): Promise<void> {
    const end = this.now + ms
    await settle()
    for (let next = this.#next(end); next; next = this.#next(end)) {
      this.now = Math.max(this.now, next.at)
      this.#timers.delete(next)
      next.callback()
      await settle()
    }
    this.now = end
  }

  /** The page is seen again, or the network is back. */
  async wake(): Promise<void> {
    for (const waker of [...this.#wakers]) waker()
    await settle()
  }

  get timers(): number {
    return this.#timers.size
  }

  #next(end: number): Timer | undefined {
    const due = [...this.#timers].filter(({ at }) => at <= end)
    return due.sort((one, other) => one.at - other.at)[0]
  }

  #after(ms: number, callback: () => void): () => void {
    const timer = { at: this.now + ms, callback }
    this.#timers.add(timer)
    return () => void this.#timers.delete(timer)
  }
}

/** Lets everything happen that needs no time. */
export async function settle(): Promise<void> {
  for (let round = 0; round < 20; round += 1) await setImmediate()
}
