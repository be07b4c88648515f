import type { Snapshot } from '../checks/final-checks.ts'
import { castOf, type Seat, START } from '../clients/cast.ts'
import { closeWorld } from '../history/closing.ts'
import { type Counts, sumOf } from '../history/counts.ts'
import type { Figure } from '../history/host.ts'
import { World } from '../history/world.ts'
import type { NodeHost } from '../host/node-host.ts'
import type { Random } from '../values/random.ts'
import { Violation } from '../values/violation.ts'
import { App } from './app.ts'
import { Browser, type Surroundings } from './browser.ts'
import type { Client } from './client.ts'
import { Edge } from './edge.ts'
import { Ledger } from './ledger.ts'
import { Network, type Parcel, responseOf } from './network.ts'
import type { Tab } from './tab.ts'
import { Witness } from './witness.ts'

/** More events than a quiet history takes. */
const MAX_EVENTS = 30_000

/** After that long a space has read its configuration again, ms. */
const CONFIG_MS = 600_000

/**
 * A history with devices that run the product's own client, beside hand-made clients. The hand-made ones, the server
 * and the checks are those of a world of their own, which ends with each erasure of the space: versions begin again.
 */
export class DeviceWorld implements Surroundings {
  readonly random: Random
  readonly host: NodeHost
  readonly figures = new Map<Figure, number>()
  readonly ledger = new Ledger()
  readonly network = new Network()
  readonly witness = new Witness(this)
  readonly edge: Edge
  readonly app: App
  readonly browsers: readonly Browser[]
  /** The clients, the network and the checks since the space was last erased. */
  era: World<NodeHost>
  /** No message is lost, and no store fails. */
  isKind = false
  /** The probability that a request, or its response, is lost. */
  readonly #loss: number
  readonly client: Client
  readonly #eras: World<NodeHost>[] = []
  #failure: unknown

  constructor(random: Random, host: NodeHost, client: Client) {
    this.random = random
    this.host = host
    this.client = client
    this.#loss = random.pick([0.02, 0.06, 0.3])
    this.era = this.#begin(START)
    this.edge = new Edge(host.server, random, this.witness)
    this.app = new App(random)
    this.browsers = Array.from({ length: random.between(1, 3) }, (_, index) => {
      const granted = random.chance(0.2) ? [random.pick(['notes', 'tasks'])] : null
      return new Browser(`d${index}`, { subject: `u${index}`, granted }, this)
    })
    for (const browser of this.browsers) browser.open()
  }

  readonly now = (): number => this.era.now

  get tabs(): readonly Tab[] {
    return this.browsers.flatMap(({ tabs }) => tabs)
  }

  count(figure: Figure, by = 1): void {
    this.figures.set(figure, (this.figures.get(figure) ?? 0) + by)
  }

  failed(reason: unknown): void {
    this.#failure = reason
  }

  /** Begins with other clients, and an empty journal. */
  #begin(now: number): World<NodeHost> {
    const cast = (random: Random, narrow: boolean): readonly Seat[] =>
      castOf(random, narrow)
        .slice(0, random.between(1, 3))
        .map((seat) => ({ ...seat, session: { ...seat.session, issuedAt: now } }))
    const world = new World(this.random, this.host, { now, cast })
    this.#eras.push(world)
    this.host.server.clock = () => world.now
    return world
  }

  /** Checks the history so far, and erases the space while devices are in the middle of whatever they do. */
  async erase(): Promise<void> {
    await this.relieve()
    await this.era.calm()
    await this.close()
    this.ledger.era += 1
    const began = this.now()
    let done = false
    while (!done) {
      await this.era.start(async () => {
        done = await this.host.server.erase(`e${this.ledger.era}`, began)
      })
      await this.era.drain()
    }
    this.count('erasures')
    this.era = this.#begin(began + 1)
  }

  /** Checks the history since the last erasure. `others`: the copies of devices that are at rest. */
  async close(others: readonly Snapshot[] = []): Promise<void> {
    // A process that is about to die would do so while it is asked.
    this.host.server.restart()
    await closeWorld(this.era, others)
  }

  /** Gives the space room, and waits until it has read so in its configuration. */
  async relieve(): Promise<void> {
    if (!this.host.isScarce) return
    this.host.limit(1_000_000)
    await this.era.drain()
    this.era.now += CONFIG_MS
  }

  /** Lets one thing happen that can happen by itself. False if nothing can. */
  async proceed(): Promise<boolean> {
    const { random, network } = this
    const tabs = this.tabs.filter(({ isReady }) => isReady)
    const disks = this.browsers.filter(({ disk }) => disk.isReady)
    const events = [
      ...tabs.map((tab) => () => tab.run(random)),
      ...disks.map(
        ({ disk }) =>
          () =>
            disk.step().then(() => {}),
      ),
      ...(network.isReady ? [() => this.#deliver(network.next(random))] : []),
      ...(this.host.server.turns.isIdle ? [] : [() => this.host.proceed().then(() => {})]),
    ]
    if (events.length === 0) return false
    await random.pick(events)()
    await this.step()
    return true
  }

  /** Lets everything continue that can by itself, and timers fire. */
  async step(): Promise<void> {
    await this.era.step()
    if (this.#failure !== undefined) throw this.#failure
    for (const tab of this.tabs) tab.tick(this.now())
  }

  /** Lets the time pass until the next timer; false if no tab waits for one. */
  async sleep(): Promise<boolean> {
    const times = this.tabs.flatMap(({ nextTimer }) => (nextTimer === undefined ? [] : [nextTimer]))
    if (times.length === 0) return false
    this.era.now = Math.max(this.now(), Math.min(...times))
    await this.step()
    return true
  }

  /** Lets devices and network come to rest, for at least a time in ms. */
  async rest(ms: number): Promise<void> {
    const until = this.now() + ms
    await this.step()
    for (let events = 0; events < MAX_EVENTS; events++) {
      if (await this.proceed()) continue
      if (this.now() >= until || !(await this.sleep())) return
    }
    throw new Violation('IN1', `devices do not come to rest within ${MAX_EVENTS} events`)
  }

  async #deliver(parcel: Parcel): Promise<void> {
    const { random } = this
    const { call, tab, deliver } = parcel
    const browser = this.browsers.find(({ tabs }) => tabs.includes(tab))
    const isLost =
      !this.isKind && (random.chance(call ? this.#loss : this.#loss / 20) || browser?.isOnline === false)
    if (call === undefined) {
      if (isLost && browser) return this.cut(browser)
      return deliver()
    }
    const isSync = call.path === '/api/sync'
    if (isLost || (isSync && parcel.isAnswer && browser?.isDeaf)) return this.#lose(parcel)
    if (parcel.isAnswer) return deliver()
    if (isSync && browser?.slow) return void browser.slow.push(parcel)
    if (!this.isKind && random.chance(0.04)) {
      this.count('duplicates')
      this.network.send({ ...parcel, line: {} })
    }
    if (!this.isKind) this.host.threaten()
    this.count('requests')
    await this.era.start(async () => {
      const reply = await this.edge.handle(call)
      if (reply === null) return this.#fail(parcel)
      const answer = () => call.tab.queue('http', () => call.resolve(responseOf(reply)))
      this.network.send({ tab, line: {}, call, isAnswer: true, deliver: answer })
    })
  }

  #lose(parcel: Parcel): void {
    this.count(parcel.isAnswer ? 'lostAnswers' : 'lost')
    this.#fail(parcel)
  }

  /** The connection of a request breaks. Some devices hear of it, and others wait in vain. */
  #fail({ call, tab }: Parcel): void {
    if (this.isKind || this.random.chance(0.6))
      tab.queue('http', () => call?.reject(new TypeError('fetch failed')))
  }

  /** Breaks the sockets of a browser. `isSilent`: neither end hears of it. */
  cut(browser: Browser, isSilent = this.random.chance(0.3)): void {
    this.count('cuts')
    for (const socket of browser.sockets) socket.cut(isSilent)
    browser.sockets.clear()
  }

  /** Counts the events and checks of all times between erasures. `own`: those of devices alone. */
  totals(): Counts & { readonly own: Counts } {
    const own = { figures: this.figures, asked: this.ledger.verdicts.asked }
    const eras = this.#eras.map(({ figures, verdicts }) => ({ figures, asked: verdicts.asked }))
    return { ...sumOf([own, ...eras]), own }
  }
}
