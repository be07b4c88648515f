import type { LockRequest, Locks } from '../../../client/src/values/platform.ts'
import type { Tab } from './tab.ts'

interface Claim {
  readonly tab: Tab
  readonly hold: () => Promise<void>
  readonly resolve: () => void
  readonly reject: (reason: unknown) => void
}

/** The locks of a browser, as the Web Locks API has them. */
export class BrowserLocks {
  readonly #held = new Map<string, Claim>()
  readonly #waiting = new Map<string, Claim[]>()
  /** How often a tab has taken a lock from another one. */
  steals = 0

  of(tab: Tab): Locks {
    return { request: (name, options, hold) => this.#request(tab, name, { ...options, hold }) }
  }

  /** The tab is closed: its locks are free. */
  drop(tab: Tab): void {
    for (const [name, claims] of this.#waiting)
      this.#waiting.set(
        name,
        claims.filter((claim) => claim.tab !== tab),
      )
    for (const [name, claim] of this.#held) if (claim.tab === tab) this.#free(name, claim)
  }

  #request(
    tab: Tab,
    name: string,
    { hold, signal, steal }: LockRequest & { hold: () => Promise<void> },
  ): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const claim = { tab, hold, resolve, reject }
    const holder = this.#held.get(name)
    if (steal && holder) {
      this.steals += 1
      holder.tab.queue('lock', () => holder.reject(aborted()))
      this.#grant(name, claim)
    } else if (holder) this.#waiting.set(name, [...(this.#waiting.get(name) ?? []), claim])
    else this.#grant(name, claim)
    signal?.addEventListener('abort', () => this.#giveUp(name, claim))
    return promise
  }

  #giveUp(name: string, claim: Claim): void {
    const claims = this.#waiting.get(name) ?? []
    if (!claims.includes(claim)) return
    this.#waiting.set(
      name,
      claims.filter((one) => one !== claim),
    )
    claim.tab.queue('lock', () => claim.reject(aborted()))
  }

  #grant(name: string, claim: Claim): void {
    this.#held.set(name, claim)
    claim.tab.queue('lock', () => {
      void claim.hold().then(() => {
        claim.resolve()
        if (claim.tab.state !== 'dead') this.#free(name, claim)
      })
    })
  }

  #free(name: string, claim: Claim): void {
    if (this.#held.get(name) !== claim) return
    this.#held.delete(name)
    const [next, ...others] = this.#waiting.get(name) ?? []
    this.#waiting.set(name, others)
    if (next) this.#grant(name, next)
  }
}

function aborted(): DOMException {
  return new DOMException('the lock was taken, or the request given up', 'AbortError')
}
