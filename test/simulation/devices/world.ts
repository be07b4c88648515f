import type { Snapshot } from '../checks/final-checks.ts'
import { castOf, type Seat, START } from '../clients/cast.ts'
import type { Habits } from '../clients/client.ts'
import type { Figure } from '../history/host.ts'
import { World } from '../history/world.ts'
import type { NodeHost } from '../host/node-host.ts'
import type { Random } from '../values/random.ts'
import { type Invariant, Violation } from '../values/violation.ts'
import { type Change, type Frame, type Reply, type Request, seqOf } from '../values/wire.ts'
import { App } from './app.ts'
import { Browser } from './browser.ts'
import type { Client } from './client.ts'
import { copyIn } from './copy.ts'
import type { Commit } from './disk.ts'
import { Edge, type Observer, type User } from './edge.ts'
import { Ledger } from './ledger.ts'
import { Network, type Parcel, responseOf } from './network.ts'
import type { Tab } from './tab.ts'

/** More events than a quiet history takes. */
const MAX_EVENTS = 30_000

/** After that long a space has read its configuration again, ms. */
const CONFIG_MS = 600_000

/**
 * A history with devices that run the product's own client, beside hand-made clients. The hand-made ones, the server
 * and the checks are those of a world of their own, which ends with each erasure of the space: versions begin again.
 */
export class DeviceWorld implements Observer {
  readonly random: Random
  readonly host: NodeHost
  readonly figures = new Map<Figure, number>()
  readonly ledger = new Ledger(() => this.era.verdicts)
  readonly network = new Network()
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
  /** The ends of complete pulls, by client. */
  readonly #complete = new Set<string>()
  readonly #incomplete = new Set<string>()
  #failure: unknown

  constructor(random: Random, host: NodeHost, client: Client) {
    this.random = random
    this.host = host
    this.client = client
    this.#loss = random.pick([0.02, 0.06, 0.3])
    this.era = this.#begin(START)
    this.edge = new Edge(host.server, random, this)
    this.app = new App(random)
    this.browsers = Array.from({ length: random.between(1, 3) }, (_, index) => {
      const granted = random.chance(0.2) ? [random.pick(['notes', 'tasks'])] : null
      return new Browser(`d${index}`, { subject: `u${index}`, granted }, this)
    })
    for (const browser of this.browsers) browser.open()
  }

  readonly now = (): number => this.era.now

  get answering(): Edge {
    return this.edge
  }

  get tabs(): readonly Tab[] {
    return this.browsers.flatMap(({ tabs }) => tabs)
  }

  count(figure: Figure, by = 1): void {
    this.figures.set(figure, (this.figures.get(figure) ?? 0) + by)
  }

  tokenFor(user: User): string {
    return this.edge.tokenFor(user)
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
    await this.era.close(others)
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

  answered(client: Habits, request: Request, reply: Reply): void {
    this.ledger.take(client.id, request, reply.results)
    this.count('batches', Number(request.batch !== undefined && !reply.replayed))
    this.era.examine({ client, request: this.#seenBy(request), reply })
    const end = `${client.id} ${reply.cursor}`
    // A page that is cut off there may leave out what stood there.
    if (reply.more) this.#incomplete.add(end)
    else if (reply.cursor !== undefined) this.#complete.add(end)
  }

  /** The request as the space sees it: a version of an erased space is an unknown base (VE1). */
  #seenBy({ changes, ...request }: Request): Request {
    const { epoch } = this.host.server.space.state
    const isForeign = ({ base }: Change) => typeof base === 'string' && !base.startsWith(`${epoch}.`)
    return {
      ...request,
      changes: changes.map((change) => (isForeign(change) ? { ...change, base: 'unknown' } : change)),
    }
  }

  refused(client: Habits, request: Request, code: string): void {
    if (code === 'batch-forgotten') this.ledger.forget(client.id, request)
    this.count(code === 'quota-exceeded' ? 'quotaRefusals' : 'refusals')
  }

  expired(): void {
    this.count('expiries')
  }

  sent(client: Habits, frame: Frame): void {
    this.count('frames')
    // The first frame of a socket tells where it begins, and brings nothing.
    if (frame.type === 'changes' && frame.from === null) return
    this.era.replies.takeFrame({ client, frame })
    if (frame.type === 'changes' && this.#complete.has(`${client.id} ${frame.from}`))
      this.#complete.add(`${client.id} ${frame.cursor}`)
  }

  asked(id: number): void {
    this.era.asked.add(id)
  }

  resolved(client: Habits, resolution: { id: number; base: string | null }, reply: object): void {
    const { version, replayed } = reply as { version: string | null; replayed: boolean }
    this.count('resolutions')
    this.era.open.delete(resolution.id)
    this.era.resolved.push({ ...resolution, by: client.id, version, replayed })
  }

  /** Checks a transaction of a device, and its copy if it is one of the end of a pull. */
  committed(browser: Browser, commit: Commit): void {
    this.ledger.commit(browser, commit)
    const { state } = commit.writes
    const { entries = [], gone = [] } = commit.writes
    const isOther = state?.cursor !== commit.before?.cursor || entries.length > 0 || gone.length > 0
    if (!isOther || state === undefined || state.restart !== null || state.cursor === null) return
    const end = `${state.clientId} ${state.cursor}`
    const isComplete = this.#complete.has(end) && !this.#incomplete.has(end)
    if (!isComplete || !state.cursor.startsWith(`${this.host.server.space.state.epoch}.`)) return
    // The decision of a conflict goes into the copy before the page that brings it.
    const seq = seqOf(state.cursor)
    const decided = new Set(this.era.resolved.map(({ version }) => version))
    const isAhead = [...commit.rows.entries.values()].some(
      ({ version }) => seqOf(version) > seq && decided.has(version),
    )
    if (isAhead) return
    const client = this.habitsOf(browser, state.clientId)
    this.era.count('snapshots')
    this.era.snapshots.push({ client, seq, copy: copyIn(commit.rows) })
  }

  /** The habits of a device, for the checks. */
  habitsOf({ user, collections }: Browser, id: string): Habits {
    const asks = collections && { asks: collections }
    const { subject, granted } = user
    const habits = {
      id,
      subject,
      granted,
      pulls: true,
      reads: true,
      numbers: true,
      bases: 'version' as const,
    }
    return { ...habits, ...asks, lags: 0, keepsTombstones: false, tellsTime: true }
  }

  /** Counts the events and checks of all times between erasures. */
  totals(): { figures: ReadonlyMap<Figure, number>; asked: ReadonlyMap<Invariant, number> } {
    const asked = new Map<Invariant, number>()
    for (const { figures, verdicts } of this.#eras.splice(0)) {
      for (const [figure, by] of figures) this.count(figure, by)
      for (const [name, by] of verdicts.asked) asked.set(name, (asked.get(name) ?? 0) + by)
    }
    return { figures: this.figures, asked }
  }
}
