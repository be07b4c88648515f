import type { Channel, LockRequest, Platform } from '../values/platform.ts'

/** How often the leader shows that it runs, and how long a visible tab bears its silence, ms. */
const BEAT_MS = 3_000
const SILENCE_MS = 10_000

interface TabsOptions<M> {
  readonly name: string
  readonly platform: Platform
  readonly onMessage: (message: M) => void
  /** This tab leads from now on. */
  readonly onLead: () => void
  /** Another tab has taken the lead. */
  readonly onDeposed: () => void
  /** The message that shows that this tab runs; undefined while it cannot lead. */
  readonly beat: () => M | undefined
}

/**
 * Lets one of the tabs of a store lead. A browser may freeze the leader and keep its lock, so a visible tab that hears
 * nothing of it takes the lead. A transaction then tells the frozen one, when it wakes, that its term is over.
 */
export class Tabs<M> {
  readonly #options: TabsOptions<M>
  readonly #channel: Channel | undefined
  /** Ends the requests for the lock that wait. */
  #queueing = new AbortController()
  #release: (() => void) | undefined
  #heard: number
  #isStopped = false
  #stopTimer = () => {}
  readonly #stopListening: () => void

  constructor(options: TabsOptions<M>) {
    const { platform, name, onMessage } = options
    this.#options = options
    this.#heard = platform.now()
    this.#channel = platform.openChannel?.(name)
    if (this.#channel)
      this.#channel.onmessage = ({ data }) => {
        this.#heard = platform.now()
        onMessage(data as M)
      }
    // After a sleep the leader gets its time to speak.
    this.#stopListening = platform.onWake(() => {
      this.#heard = platform.now()
    })
  }

  get isLeading(): boolean {
    return this.#release !== undefined
  }

  start(): void {
    const { locks } = this.#options.platform
    if (locks) this.#queue()
    else this.#lead(() => {})
    if (locks || this.#channel) this.#tick()
  }

  /** Another tab leads. Only a lock says so by itself, which pages without TLS do not have. */
  yield(): void {
    if (!this.#options.platform.locks) this.#release = undefined
  }

  say(message: M): void {
    if (!this.#isStopped) this.#channel?.postMessage(message)
  }

  stop(): void {
    this.#isStopped = true
    this.#stopTimer()
    this.#stopListening()
    this.#queueing.abort()
    this.#release?.()
    this.#channel?.close()
  }

  #queue(): void {
    this.#queueing = new AbortController()
    this.#request({ signal: this.#queueing.signal })
  }

  #steal(): void {
    this.#queueing.abort()
    if (this.#options.platform.locks) this.#request({ steal: true })
    else this.#lead(() => {})
  }

  #request(options: LockRequest): void {
    const { locks, name } = { ...this.#options, ...this.#options.platform }
    const held = locks?.request(name, options, () => new Promise<void>((release) => this.#lead(release)))
    // A stolen lock rejects, as does a request that was given up.
    held?.catch(() => this.#lost())
  }

  #lead(release: () => void): void {
    if (this.#isStopped) release()
    else {
      this.#release = release
      this.#options.onLead()
    }
  }

  #lost(): void {
    if (this.#release === undefined || this.#isStopped) return
    this.#release = undefined
    this.#options.onDeposed()
    this.#heard = this.#options.platform.now()
    this.#queue()
  }

  #tick(): void {
    const { platform, beat } = this.#options
    const message = this.isLeading ? beat() : undefined
    if (message !== undefined) this.say(message)
    else if (!this.isLeading && platform.isVisible() && platform.now() - this.#heard > SILENCE_MS) {
      this.#heard = platform.now()
      this.#steal()
    }
    this.#stopTimer = platform.after(BEAT_MS, () => this.#tick())
  }
}
