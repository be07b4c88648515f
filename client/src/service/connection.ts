import { problemIn } from '../values/errors.ts'
import { backoffMs } from './backoff.ts'
import { type Ending, type Live, type LiveOptions, openLive } from './live.ts'

/** The least wait after a close code that asks for one, ms. */
const WAITS_MS: { readonly [code in number]?: number } = { 1013: 10_000, 4429: 60_000 }
/** A socket that lived so long was no failure, ms. */
const LONG_MS = 60_000

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
  #openedAt = 0
  /** The service asked to wait until then, ms since 1970. */
  #notBefore = 0
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

  /** Opens a socket now if there is none, unless the service asked to wait. */
  reconnect(): void {
    if (this.#options.platform.now() < this.#notBefore) return
    this.#stopTimer?.()
    this.#stopTimer = undefined
    this.#open()
  }

  /** Closes the socket, so that another one opens with the session of now. */
  renew(): void {
    this.#live?.close()
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
      (thrown: unknown) => this.#openLater((problemIn(thrown)?.retryAfterSeconds ?? 0) * 1000),
    )
  }

  #opened(live: Live): void {
    this.#isBusy = false
    if (this.#isStopped) live.close()
    else {
      this.#live = live
      this.#openedAt = this.#options.platform.now()
      this.#options.onChange(true)
    }
  }

  #openLater(atLeastMs = 0): void {
    this.#isBusy = false
    if (this.#isStopped) return
    const { platform } = this.#options
    const ms = Math.max(atLeastMs, backoffMs(this.#failures, platform.random()))
    this.#failures += 1
    if (atLeastMs > 0) this.#notBefore = platform.now() + ms
    this.#stopTimer = platform.after(ms, () => this.reconnect())
  }

  #ended({ code, reason }: Ending): void {
    this.#live = undefined
    if (this.#isStopped) return
    const { platform, session, onChange } = this.#options
    if (platform.now() - this.#openedAt > LONG_MS) this.#failures = 0
    if ((code === 4401 || code === 4403) && reason !== 'ticket-spent') session.forget()
    this.#openLater(WAITS_MS[code])
    onChange(false)
  }
}
