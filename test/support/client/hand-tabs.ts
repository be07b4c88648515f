import type { Channel, LockRequest, Locks, Platform } from '../../../client/src/values/platform.ts'

interface Request {
  readonly hold: () => Promise<void>
  readonly resolve: (value: unknown) => void
  readonly reject: (reason: unknown) => void
  readonly signal: AbortSignal | undefined
}

/** The locks and channels that the tabs of a browser share. */
export class HandTabs {
  readonly #channels = new Map<string, Set<TabChannel>>()
  readonly #locks = new Map<string, HandLock>()

  /** The platform of one more tab. */
  platform(): { readonly locks: Locks } & Pick<Platform, 'openChannel'> {
    return {
      locks: { request: (name, options, hold) => this.#lock(name).request(options, hold) },
      openChannel: (name) => {
        const all = this.#channels.get(name) ?? new Set()
        this.#channels.set(name, all)
        const channel = new TabChannel(all)
        all.add(channel)
        return channel
      },
    }
  }

  #lock(name: string): HandLock {
    const lock = this.#locks.get(name) ?? new HandLock()
    this.#locks.set(name, lock)
    return lock
  }
}

/** Lock of one name. */
class HandLock {
  #held: Request | undefined
  #queue: Request[] = []

  request({ steal, signal }: LockRequest, hold: () => Promise<void>): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const request = { hold, resolve, reject, signal }
      signal?.addEventListener('abort', () => this.#giveUp(request))
      if (steal) this.#steal(request)
      else this.#queue.push(request)
      queueMicrotask(() => this.#grant())
    })
  }

  #giveUp(request: Request): void {
    if (this.#held === request) return
    this.#queue = this.#queue.filter((one) => one !== request)
    request.reject(new DOMException('given up', 'AbortError'))
  }

  #steal(request: Request): void {
    this.#held?.reject(new DOMException('stolen', 'AbortError'))
    this.#held = undefined
    this.#queue.unshift(request)
  }

  #grant(): void {
    const next = this.#held ? undefined : this.#queue.shift()
    if (next === undefined) return
    this.#held = next
    void next.hold().then((value) => {
      if (this.#held === next) this.#held = undefined
      next.resolve(value)
      this.#grant()
    })
  }
}

/** Channel that delivers a little later, to all tabs but its own. */
class TabChannel implements Channel {
  onmessage: Channel['onmessage'] = null
  readonly #all: Set<TabChannel>

  constructor(all: Set<TabChannel>) {
    this.#all = all
  }

  postMessage(message: unknown): void {
    const data = structuredClone(message)
    for (const other of this.#all)
      if (other !== this) setImmediate(() => this.#all.has(other) && other.onmessage?.({ data }))
  }

  close(): void {
    this.#all.delete(this)
  }
}
