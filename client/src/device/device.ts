import { checkUser } from '../replica/refusal.ts'
import type { Answer } from '../replica/reply.ts'
import { settlementsOf } from '../replica/settlement.ts'
import { newState, stateOf } from '../replica/state.ts'
import { Line } from '../service/line.ts'
import { isUnauthorized, newSession, type Session } from '../service/session.ts'
import type { LineStatus } from '../service/status.ts'
import type { ReplicaState, Store, Writes } from '../store/store.ts'
import { ChronicleError, codeOf } from '../values/errors.ts'
import type { Platform } from '../values/platform.ts'
import { Variable } from '../values/readable.ts'
import { Drains } from './drains.ts'
import { type Change, lineStatusOf, type Message, touchedBy } from './messages.ts'
import type { ChronicleOptions } from './options.ts'
import { type Status, UNKNOWN } from './status.ts'
import { Tabs } from './tabs.ts'

export interface DeviceOptions extends Omit<ChronicleOptions, 'platform' | 'store'> {
  readonly platform: Platform
  /** The name of the store, of its lock and of the channel between its tabs. */
  readonly storeName: string
  readonly openStore: () => Promise<Store>
}

/** The store of this device, seen from one tab. One of the tabs keeps the line to the service. */
export class Device {
  readonly status = new Variable<Status>(UNKNOWN)
  readonly #options: DeviceOptions
  readonly #onChange: (change: Change) => void
  readonly #onReopened: () => Promise<void>
  readonly #onGone: () => void
  #store: Store
  #tabs: Tabs<Message>
  #line: Line | undefined
  #session: Session | undefined
  #clientId: string
  #isStopped = false
  #recovering: Promise<void> | undefined
  readonly #drains: Drains
  readonly #stopListening: () => void

  private constructor(options: DeviceOptions, { store, state, ...events }: Opened & DeviceEvents) {
    this.#options = options
    this.#onChange = events.onChange
    this.#onReopened = events.onReopened
    this.#onGone = events.onGone
    this.#store = store
    this.#drains = new Drains(options.platform)
    this.#clientId = state.clientId
    this.#tabs = this.#newTabs()
    this.#stopListening = options.platform.onWake(() => this.#awake())
    this.#watchStore()
  }

  static async open(options: DeviceOptions, events: DeviceEvents): Promise<Device> {
    const store = await options.openStore()
    const device = new Device(options, { store, state: await initialize(store, options.platform), ...events })
    device.#tabs.start()
    await device.#count()
    void options.platform.persist().then(
      (isPersistent) => device.#tell({ storage: storageOf(store, isPersistent) }),
      () => device.#tell({ storage: storageOf(store, false) }),
    )
    return device
  }

  get store(): Store {
    if (this.#isStopped) throw new ChronicleError('closed', 'the client is closed')
    return this.#store
  }

  get clientId(): string {
    return this.#clientId
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
    if (this.#line) return this.#line.drain()
    return this.#drains.wait((id) => this.#tabs.say({ type: 'drain', id }))
  }

  /** Makes a request with the session of this tab, and once more with a new one if that has ended. */
  async request(path: string, init?: { method?: string; body?: object }): Promise<unknown> {
    const session = this.#sessionOf()
    try {
      return await session.request(path, init)
    } catch (thrown) {
      if (!isUnauthorized(thrown)) throw thrown
      return session.request(path, init)
    }
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

  /** Ends the session of this device at the service, and its store in all tabs. */
  async erase(): Promise<void> {
    const session = this.#line?.session ?? this.#session
    await session?.end().catch(() => {})
    this.#tabs.say({ type: 'gone' })
    const store = this.#store
    this.stop()
    await store.destroy()
  }

  async close(): Promise<void> {
    this.stop()
    await this.#store.close()
  }

  stop(): void {
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
      onLead: () => void this.#lead().catch((reason: unknown) => this.#failed(reason)),
      onDeposed: () => this.#follow(),
      beat: () => ({ type: 'beat', status: this.status.getSnapshot() }),
    })
  }

  /** Begins a new term, so that a tab that led before and was frozen writes nothing when it wakes. */
  async #lead(): Promise<void> {
    const { state } = await this.#store.update({}, (found) => {
      const before = stateOf(found)
      return { state: { ...before, term: before.term + 1 } }
    })
    if (this.#isStopped || !this.#tabs.isLeading) return
    const { platform, url, token, collections } = this.#options
    this.#line = new Line(
      {
        ...{ url, token, platform, collections, store: this.#store, term: state.term },
        onWritten: (writes, keys, answers) => this.written(writes, keys, answers),
        onStatus: (status) => this.#lineIs(status),
        onEnd: (reason) => this.#failed(reason),
      },
      state,
    )
    this.#tell({ leads: true })
    this.#line.retry()
  }

  #follow(): void {
    this.#line?.stop()
    this.#line = undefined
    this.#tell({ leads: false })
  }

  #lineIs(status: LineStatus): void {
    this.#tabs.say({ type: 'beat', status })
    this.#tell(status)
  }

  #hear(message: Message): void {
    if (message.type === 'beat') this.#tell(lineStatusOf(message.status))
    else if (message.type === 'written') {
      this.#changed(message)
      this.#line?.wake()
    } else if (message.type === 'retry') this.#line?.retry()
    else if (message.type === 'drain') this.#drainFor(message.id)
    else if (message.type === 'drained') this.#drains.end(message.id, message.error)
    else {
      this.stop()
      this.#onGone()
    }
  }

  #drainFor(id: string): void {
    this.#line?.drain().then(
      () => this.#tabs.say({ type: 'drained', id }),
      (reason: unknown) => this.#tabs.say({ type: 'drained', id, error: String(reason) }),
    )
  }

  /** The device may be back: it tries at once, and shows what other tabs have done while this one slept. */
  #awake(): void {
    if (!this.#options.platform.isVisible()) return
    if (this.#line) this.#line.retry()
    else this.#tabs.say({ type: 'retry' })
    this.#changed({ keys: null, settled: [] })
  }

  #changed(change: Change): void {
    this.#onChange(change)
    void this.#count().catch((reason: unknown) => this.#failed(reason))
  }

  async #count(): Promise<void> {
    if (this.#isStopped) return
    const [{ edits, outcomes }, { state }] = await Promise.all([this.#store.count(), this.#store.read({})])
    this.#tell({ pending: edits, troubles: outcomes, lastSync: state?.lastSync ?? null })
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

  #watchStore(): void {
    this.#store.onLost(() => this.#failed(new ChronicleError('cleared', 'the browser has closed the store')))
  }

  #failed(reason: unknown): void {
    if (this.#isStopped) return
    this.#follow()
    void this.recover(reason).catch(() =>
      this.#tell({ obstacle: { code: 'storage', detail: String(reason) } }),
    )
  }

  async #reopen(): Promise<void> {
    this.#follow()
    this.#tabs.stop()
    await this.#store.close().catch(() => {})
    this.#store = await this.#options.openStore()
    this.#watchStore()
    const { clientId } = await initialize(this.#store, this.#options.platform)
    this.#clientId = clientId
    this.#session = undefined
    this.#tabs = this.#newTabs()
    await this.#onReopened()
    this.#changed({ keys: null, settled: [] })
    this.#tabs.start()
  }
}

interface Opened {
  readonly store: Store
  readonly state: ReplicaState
}

interface DeviceEvents {
  readonly onChange: (change: Change) => void
  /** The store is another one. Puts back the edits that it lacks. */
  readonly onReopened: () => Promise<void>
  /** Another tab has logged out. */
  readonly onGone: () => void
}

async function initialize(store: Store, { newId }: Platform): Promise<ReplicaState> {
  const { state } = await store.update({}, (found) => ({ state: found.state ?? newState(newId()) }))
  return state
}

function storageOf({ kind }: Store, isPersistent: boolean): Status['storage'] {
  if (kind === 'memory') return 'memory'
  return isPersistent ? 'persistent' : 'best-effort'
}

/** A store that is closed or cleared fails in these ways. */
function isStoreFailure(reason: unknown): boolean {
  return (
    codeOf(reason) === 'cleared' || (reason instanceof DOMException && reason.name !== 'QuotaExceededError')
  )
}
