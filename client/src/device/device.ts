import { checkUser } from '../replica/refusal.ts'
import type { Answer } from '../replica/reply.ts'
import { settlementsOf } from '../replica/settlement.ts'
import { newState, stateOf } from '../replica/state.ts'
import { Line } from '../service/line.ts'
import { ask, newSession, type Session } from '../service/session.ts'
import type { LineStatus } from '../service/status.ts'
import type { ReplicaState, Store, Writes } from '../store/store.ts'
import { ChronicleError, codeOf, messageOf } from '../values/errors.ts'
import { Variable } from '../values/readable.ts'
import { Drains } from './drains.ts'
import { type Change, lineStatusOf, type Message, touchedBy } from './messages.ts'
import { initialize, isStoreFailure, storageOf } from './opening.ts'
import type { DeviceEvents, DeviceOptions } from './options.ts'
import { type Status, UNKNOWN } from './status.ts'
import { Tabs } from './tabs.ts'

/** When a device whose disk was full tries again, ms. */
const RETRY_MS = 30_000

const LOGGED_OUT = { code: 'closed', detail: 'the user has logged out' }

/** The store of this device, seen from one tab. One of the tabs keeps the line to the service. */
export class Device {
  readonly status = new Variable<Status>(UNKNOWN)
  readonly #options: DeviceOptions
  readonly #events: DeviceEvents
  #store: Store
  #tabs: Tabs<Message>
  #line: Line | undefined
  #session: Session | undefined
  #clientId: string
  #born: number
  #isStopped = false
  /** Grows whenever this tab begins or ends to lead. */
  #turn = 0
  #recovering: Promise<void> | undefined
  readonly #drains: Drains
  readonly #stopListening: () => void

  private constructor(
    options: DeviceOptions,
    events: DeviceEvents,
    opened: { store: Store; state: ReplicaState },
  ) {
    this.#options = options
    this.#events = events
    this.#store = opened.store
    this.#born = opened.state.born
    this.#drains = new Drains({
      platform: options.platform,
      line: () => this.#line,
      say: (message) => this.#tabs.say(message),
    })
    this.#clientId = opened.state.clientId
    this.#tabs = this.#newTabs()
    this.#stopListening = options.platform.onWake(
      () => void this.#awake().catch((reason: unknown) => this.#failed(reason)),
    )
    this.#watch(opened.store)
  }

  static async open(options: DeviceOptions, events: DeviceEvents): Promise<Device> {
    const store = await options.openStore()
    const state = await initialize(store, options.platform)
    const device = new Device(options, events, { store, state })
    device.#tabs.start()
    await device.#count()
    void storageOf(store, options.platform).then((storage) => device.#tell({ storage }))
    return device
  }

  get store(): Store {
    if (this.#isStopped) throw new ChronicleError('closed', 'the client is closed')
    return this.#store
  }

  get isStopped(): boolean {
    return this.#isStopped
  }

  /** When the store was made, ms since 1970: the same number as long as it is the same store. */
  get born(): number {
    return this.#born
  }

  /** Tells all tabs what this one has written, and the leader that there is something to send. */
  written(writes: Writes, keys: readonly string[] = [], answers: readonly Answer[] = []): void {
    const change = { keys: touchedBy(writes, keys), settled: settlementsOf(answers, writes) }
    if (writes.state) this.#clientId = writes.state.clientId
    if (change.keys.length > 0 || change.settled.length > 0) {
      this.#tabs.say({ type: 'written', ...change })
      this.#changed(change)
    }
    if (writes.edits?.length) this.#line?.wake()
  }

  /** Sends and reads everything, now. */
  drain(): Promise<void> {
    return this.#drains.drain()
  }

  /** Makes a request with the session of this tab, and once more with a new one if that has ended. */
  request(path: string): Promise<unknown> {
    return ask(this.#sessionOf(), path)
  }

  /** Opens the store again, if the browser has taken it away. Resolves when the edits of this tab are back in it. */
  recover(reason: unknown): Promise<void> {
    if (this.#isStopped) return Promise.reject(new ChronicleError('closed', 'the client is closed'))
    if (!isStoreFailure(reason)) return Promise.reject(reason)
    this.#recovering ??= this.#reopen().finally(() => {
      this.#recovering = undefined
    })
    return this.#recovering
  }

  /** Removes everything from this device, in all tabs, and ends its session at the service. */
  async erase(): Promise<void> {
    const { newId, now } = this.#options.platform
    const session = this.#line?.session ?? this.#session
    const store = this.store
    this.#follow()
    await store.reset(newState(newId(), now(), now()))
    this.#tabs.say({ type: 'gone' })
    this.#tell({ obstacle: LOGGED_OUT })
    this.stop()
    await store.close()
    await session?.end().catch(() => {})
  }

  async close(): Promise<void> {
    this.stop()
    await this.#store.close()
  }

  stop(): void {
    this.#tell({ leads: false, live: false, online: false })
    this.#isStopped = true
    this.#line?.stop()
    this.#line = undefined
    this.#tabs.stop()
    this.#stopListening()
    this.#drains.stop()
  }

  #newTabs(): Tabs<Message> {
    const { platform, storeName } = this.#options
    const isShared = this.#store.kind !== 'memory'
    return new Tabs<Message>({
      name: storeName,
      // A store in memory has no other tabs.
      platform: isShared ? platform : { ...platform, locks: undefined, openChannel: undefined },
      onMessage: (message) => this.#hear(message),
      onLead: () => this.#begin(),
      onDeposed: () => this.#follow(),
      // A tab that cannot lead, because its store fails, must not keep the others from it.
      beat: () => (this.#line ? { type: 'beat', status: this.status.getSnapshot() } : undefined),
    })
  }

  #begin(): void {
    void this.#lead().catch((reason: unknown) => this.#failed(reason))
  }

  /** Begins a new term, so that a tab that led before and was frozen writes nothing when it wakes. */
  async #lead(): Promise<void> {
    const turn = ++this.#turn
    const { state } = await this.#store.update({}, (found) => {
      const before = stateOf(found)
      return { state: { ...before, term: before.term + 1 } }
    })
    if (this.#isStopped || turn !== this.#turn) return
    const { platform, url, token, collections } = this.#options
    this.#line = new Line(
      {
        ...{ url, token, platform, collections, store: this.#store, term: state.term },
        onWritten: (writes, keys, answers) => this.written(writes, keys, answers),
        onStatus: (status) => this.#lineIs(status),
        onEnd: (reason) => turn === this.#turn && this.#failed(reason),
      },
      state,
    )
    this.#tell({ leads: true })
    this.#line.retry()
    this.#tabs.say({ type: 'lead' })
    this.#drains.askAgain()
  }

  #follow(): void {
    this.#turn += 1
    this.#line?.stop()
    this.#line = undefined
    this.#tell({ leads: false })
    this.#drains.askAgain()
  }

  #lineIs(status: LineStatus): void {
    this.#tabs.say({ type: 'beat', status })
    this.#tell(status)
  }

  #hear(message: Message): void {
    if (message.type === 'gone') this.#gone()
    else if (message.type === 'beat') this.#tell(lineStatusOf(message.status))
    else if (message.type === 'written') {
      this.#changed(message)
      this.#line?.wake()
    } else if (message.type === 'retry') this.#line?.retry()
    else if (message.type === 'lead') this.#drains.askAgain()
    else this.#drains.hear(message)
  }

  /** The device may be back: it tries at once, and shows what other tabs have done while this one slept. */
  async #awake(): Promise<void> {
    if (this.#recovering || !this.#options.platform.isVisible()) return
    await this.#count()
    if (!this.#options.platform.isOnline()) this.#line?.disconnect()
    if (this.#line) this.#line.retry()
    else if (this.#tabs.isLeading) this.#begin()
    else this.#tabs.say({ type: 'retry' })
    this.#changed({ keys: null, settled: [] })
  }

  #changed(change: Change): void {
    this.#events.onChange(change)
    void this.#count().catch((reason: unknown) => this.#failed(reason))
  }

  async #count(): Promise<void> {
    if (this.#isStopped) return
    const [{ edits, outcomes }, { state }] = await Promise.all([this.#store.count(), this.#store.read({})])
    if (state?.born !== this.#born) throw new ChronicleError('cleared', 'the store was replaced')
    this.#tell({ pending: edits, troubles: outcomes, lastSync: state.lastSync })
  }

  #tell(change: Partial<Status>): void {
    const before = this.status.getSnapshot()
    const isSame = Object.entries(change).every(([name, value]) => before[name as keyof Status] === value)
    if (!isSame && !this.#isStopped) this.status.set({ ...before, ...change })
  }

  #sessionOf(): Session {
    if (this.#line) return this.#line.session
    const { url, token, platform } = this.#options
    this.#session ??= newSession({
      ...{ url, token, platform, clientId: () => this.#clientId },
      onAdmitted: async (reply) => checkUser(stateOf(await this.#store.read({})), reply),
    })
    return this.#session
  }

  #watch(store: Store): void {
    store.onLost(() => this.#failed(new ChronicleError('cleared', 'the browser has closed the store')))
  }

  #failed(reason: unknown): void {
    if (this.#isStopped) return
    this.#follow()
    const turn = this.#turn
    if (codeOf(reason) === 'deposed') this.#tabs.yield()
    else
      void this.recover(reason).catch((failure: unknown) => {
        this.#tell({ obstacle: { code: 'storage', detail: messageOf(failure) } })
        this.#options.platform.after(RETRY_MS, () => {
          if (turn !== this.#turn) return
          if (isStoreFailure(reason)) this.#failed(reason)
          else if (this.#tabs.isLeading) this.#begin()
        })
      })
  }

  async #reopen(): Promise<void> {
    this.#follow()
    await this.#store.close().catch(() => {})
    const store = await this.#options.openStore()
    const state = await initialize(store, this.#options.platform)
    if (this.#isStopped) return store.close()
    this.#tabs.stop()
    this.#store = store
    this.#watch(store)
    // The store was emptied by a logout, and may be of another user by now.
    if (state.loggedOut >= this.#born && state.born !== this.#born) return this.#gone()
    this.#born = state.born
    this.#clientId = state.clientId
    this.#session = undefined
    this.#tabs = this.#newTabs()
    await this.#events.onReopened()
    this.#changed({ keys: null, settled: [] })
    this.#tabs.start()
  }

  #gone(): void {
    this.#tell({ obstacle: LOGGED_OUT })
    void this.#line?.session.end().catch(() => {})
    this.stop()
    void this.#store.close().catch(() => {})
    this.#events.onGone()
  }
}
