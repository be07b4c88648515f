import type { Platform } from '../../../client/src/values/platform.ts'
import { START } from '../clients/cast.ts'
import type { Random } from '../values/random.ts'
import { BrowserChannels } from './channels.ts'
import type { Client } from './client.ts'
import { type Commit, Disk } from './disk.ts'
import type { Edge, User } from './edge.ts'
import { BrowserLocks } from './locks.ts'
import { codeOf } from './made.ts'
import { fetchOver, type Network, type Parcel } from './network.ts'
import { TabSocket } from './socket.ts'
import { Tab } from './tab.ts'

const HOUR = 3_600_000

/** A clock that tells an earlier time than this was set, ms. */
const SET_BACK_MS = 60_000

/** The history around a browser. */
export interface Surroundings {
  readonly random: Random
  readonly client: Client
  readonly network: Network
  readonly edge: Edge
  readonly now: () => number
  readonly witness: { committed(browser: Browser, commit: Commit): void }
  /** A client did not open, which no history causes for good. */
  failed(reason: unknown): void
}

/** One browser of a user: its tabs share a store. Or one process of a device with a store in memory. */
export class Browser {
  readonly name: string
  readonly user: User
  /** Whether its store outlives its tabs, which share it. */
  readonly isDurable: boolean
  readonly disk: Disk
  readonly locks = new BrowserLocks()
  tabs: Tab[] = []
  /** The offset of its clock, ms. */
  ahead: number
  isOnline = true
  /** The requests to sync that wait on a slow connection, if there is one. */
  slow: Parcel[] | undefined
  /** Whether no response of such a request comes back. */
  isDeaf = false
  /** The token of the signed-in user. */
  token: string
  /** The collections to hold; undefined for all. */
  collections: readonly string[] | undefined
  readonly sockets = new Set<TabSocket>()
  readonly #drift: number
  readonly #hasSockets: boolean
  readonly #channels = new BrowserChannels()
  readonly #around: Surroundings
  #names = 0
  #told = 0

  constructor(name: string, user: User, around: Surroundings) {
    const { random, client } = around
    this.name = name
    this.user = user
    this.#around = around
    this.isDurable = random.chance(0.8)
    this.ahead = random.chance(0.5) ? 0 : random.between(-5 * HOUR, 5 * HOUR)
    this.#drift = random.chance(0.5) ? 0 : (random.next() - 0.5) / 20
    this.#hasSockets = random.chance(0.7)
    this.collections = random.chance(0.2) ? [user.granted?.[0] ?? 'notes'] : undefined
    this.token = around.edge.tokenFor(user)
    const kind = this.isDurable ? 'shared' : 'memory'
    this.disk = new Disk(
      () => new client.MemoryStore(),
      kind,
      (commit) => around.witness.committed(this, commit),
    )
  }

  /** The time that the device believes. It tells none twice, so that a time and a key name an edit. */
  clock(): number {
    const now = this.#around.now()
    const time = Math.max(0, Math.round(now + this.ahead + (now - START) * this.#drift))
    const isSetBack = this.#told - time > SET_BACK_MS
    this.#told = isSetBack ? time : Math.max(time, this.#told + 1)
    return this.#told
  }

  /** Opens the app in a tab. */
  open(): Tab {
    this.#names += 1
    const tab = new Tab(`${this.name}-${this.#names}`)
    this.tabs.push(tab)
    const { Chronicle } = this.#around.client
    void Chronicle.open({
      url: 'http://service',
      token: () => this.token,
      ...(this.collections && { collections: this.collections }),
      storeName: this.name,
      platform: this.#platformOf(tab),
      openStore: async () => this.disk.openFor(tab),
    }).then(
      (chronicle) => {
        tab.chronicle = chronicle
      },
      (reason: unknown) => {
        if (tab.state === 'dead') return
        // The store fails, and the user closes the tab.
        if (reason instanceof DOMException || codeOf(reason) === 'cleared') this.kill(tab)
        else this.#around.failed(reason)
      },
    )
    return tab
  }

  /** The tab ends, in the middle of whatever it does. */
  kill(tab: Tab): void {
    tab.die()
    this.tabs = this.tabs.filter((one) => one !== tab)
    this.disk.drop(tab)
    this.locks.drop(tab)
    this.#channels.drop(tab)
    for (const socket of this.sockets) if (socket.tab === tab) this.#hangUp(socket)
    if (!this.isDurable) this.disk.clear(false)
  }

  #hangUp(socket: TabSocket): void {
    this.sockets.delete(socket)
    socket.hangUp()
  }

  #platformOf(tab: Tab): Platform {
    const { random, network, edge, now } = this.#around
    const { sockets } = this
    class SocketOfTab extends TabSocket {
      constructor(url: string, protocols: string[]) {
        super(tab, url, { protocols, network, answering: edge })
        sockets.add(this)
      }
    }
    return {
      fetch: fetchOver(network, tab),
      WebSocket: this.#hasSockets ? SocketOfTab : undefined,
      now: () => this.clock(),
      random: () => random.next(),
      newId: () => this.#newId(),
      after: (ms, callback) => tab.at(now() + ms, callback),
      locks: this.locks.of(tab),
      openChannel: (name) => this.#channels.open(tab, name),
      onWake: (listener) => {
        tab.wakers.add(listener)
        return () => void tab.wakers.delete(listener)
      },
      isVisible: () => tab.isVisible,
      isOnline: () => true,
      persist: async () => false,
    }
  }

  #newId(): string {
    this.#names += 1
    return `${this.name}-${this.#names}`
  }
}
