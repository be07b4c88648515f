import { obstacleOf } from '../service/mend.ts'
import { type Deferred, deferred } from '../values/deferred.ts'
import { ChronicleError, codeOf } from '../values/errors.ts'
import type { Platform } from '../values/platform.ts'
import type { DrainMessage } from './messages.ts'

/** How long another tab may take to send and read everything, ms. */
const DRAIN_MS = 60_000

const CLOSED = { code: 'closed', error: 'the client is closed' }

interface DrainsOptions {
  readonly platform: Platform
  /** The line to the service, if this tab leads. */
  readonly line: () => { drain(): Promise<void> } | undefined
  readonly say: (message: DrainMessage) => void
}

/** Calls of `sync()`: the leader answers those of all tabs. */
export class Drains {
  readonly #options: DrainsOptions
  readonly #waiting = new Map<string, Deferred<void>>()
  #isStopped = false

  constructor(options: DrainsOptions) {
    this.#options = options
  }

  /** Sends and reads everything, in the tab that leads or will lead. */
  async drain(): Promise<void> {
    try {
      await (this.#options.line()?.drain() ?? this.#wait())
    } catch (thrown) {
      if (codeOf(thrown) !== 'deposed') throw thrown
      await this.#wait()
    }
  }

  /** Another tab leads, which has not heard of the calls so far. */
  askAgain(): void {
    for (const id of this.#waiting.keys()) this.#ask(id)
  }

  hear(message: DrainMessage): void {
    if (message.type === 'drain') this.#serve(message.id)
    else this.#end(message)
  }

  stop(): void {
    this.#isStopped = true
    for (const id of this.#waiting.keys()) this.#end({ id, ...CLOSED })
  }

  #wait(): Promise<void> {
    const { platform } = this.#options
    const id = platform.newId()
    const done = deferred<void>()
    this.#waiting.set(id, done)
    const cancel = platform.after(DRAIN_MS, () =>
      this.#end({ id, error: 'the tab that leads does not answer' }),
    )
    done.promise.then(cancel, cancel)
    if (this.#isStopped) this.#end({ id, ...CLOSED })
    else this.#ask(id)
    return done.promise
  }

  #ask(id: string): void {
    if (this.#options.line()) this.#serve(id)
    else this.#options.say({ type: 'drain', id })
  }

  /** A tab that no longer leads says nothing: the one that does is asked again. */
  #serve(id: string): void {
    const end = (outcome: { error?: string; code?: string }) => {
      this.#options.say({ type: 'drained', id, ...outcome })
      this.#end({ id, ...outcome })
    }
    this.#options
      .line()
      ?.drain()
      .then(
        () => end({}),
        (reason: unknown) => {
          const { code, detail: error } = obstacleOf(reason)
          if (code !== 'deposed') end({ code, error })
        },
      )
  }

  #end({ id, error, code = 'offline' }: { id: string; error?: string; code?: string }): void {
    const done = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (error === undefined) done?.resolve()
    else done?.reject(new ChronicleError(code, error))
  }
}
