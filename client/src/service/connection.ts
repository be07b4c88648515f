import { backoffMs } from './backoff.ts'
import { type Ending, type Live, type LiveOptions, openLive } from './live.ts'

/** The wait after a socket was closed for too many messages, ms. */
const CROWDED_MS = 60_000

type ConnectionOptions = Omit<LiveOptions, 'onEnd'> & {
  readonly onChange: (isOpen: boolean) => void
}

/** Keeps one socket open, and opens another after a while when it ends. */
export class Connection {
  readonly #options: ConnectionOptions
  #live: Live | undefined
  #isBusy = false
  #isStopped = false
  #failures = 0
  #stopTimer: (() => void) | undefined

  constructor(options: ConnectionOptions) {
    this.#options = options
  }

  get live(): Live | undefined {
    return this.#live
  }

  /** Opens a socket if there is none, and no attempt is planned. */
  connect(): void {
    if (this.#stopTimer === undefined) this.#open()
  }

  /** Opens a socket now if there is none. */
  reconnect(): void {
    this.#stopTimer?.()
    this.#stopTimer = undefined
    this.#open()
  }

  /** The socket has carried an answer, so the next failure is a first one. */
  works(): void {
    this.#failures = 0
  }

  stop(): void {
    this.#isStopped = true
    this.#stopTimer?.()
    this.#live?.close()
  }

  #open(): void {
    if (!this.#options.platform.WebSocket || this.#live || this.#isBusy || this.#isStopped) return
    this.#isBusy = true
    void openLive({ ...this.#options, onEnd: (ending) => this.#ended(ending) }).then(
      (live) => this.#opened(live),
      () => this.#openLater(),
    )
  }

  #opened(live: Live): void {
    this.#isBusy = false
    if (this.#isStopped) live.close()
    else {
      this.#live = live
      this.#options.onChange(true)
    }
  }

  #openLater(atLeastMs = 0): void {
    this.#isBusy = false
    if (this.#isStopped) return
    const { platform } = this.#options
    const ms = Math.max(atLeastMs, backoffMs(this.#failures, platform.random()))
    this.#failures += 1
    this.#stopTimer = platform.after(ms, () => this.reconnect())
  }

  #ended({ code }: Ending): void {
    this.#live = undefined
    if (this.#isStopped) return
    if (code === 4401 || code === 4403) this.#options.session.forget()
    this.#openLater(code === 4429 ? CROWDED_MS : 0)
    this.#options.onChange(false)
  }
}
