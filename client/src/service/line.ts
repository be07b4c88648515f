import { type BatchSize, nextBatch, type Sending } from '../replica/batch.ts'
import { admitted } from '../replica/refusal.ts'
import { type Answer, type Reply, takeReply } from '../replica/reply.ts'
import { answeredChoice, changedMind } from '../replica/resolve.ts'
import { endRestart, wantedFor } from '../replica/restart.ts'
import { deposed } from '../replica/state.ts'
import type { Found, QueuedEdit, ReplicaState, Store, Wanted, Writes } from '../store/store.ts'
import { ChronicleError, codeOf } from '../values/errors.ts'
import type { Platform } from '../values/platform.ts'
import type { SyncReply, SyncRequest } from '../values/wire.ts'
import { Connection } from './connection.ts'
import { isPassing, mendingOf, obstacleOf, waitAfter } from './mend.ts'
import { decisionOf, isFinal, replyOf, requestOf } from './request.ts'
import { newSession, type Session, type SessionOptions } from './session.ts'
import type { LineStatus } from './status.ts'

/** How often a device without a socket asks for changes, ms. */
const POLL_MS = 30_000
const SIZE: BatchSize = { changes: 500, bytes: 400_000 }
/** A refused batch of 500 takes ten attempts until a single edit is set aside. More without an answer are no progress. */
const MOST_MENDINGS = 20

export interface LineOptions {
  readonly url: string
  readonly token: SessionOptions['token']
  readonly store: Store
  readonly platform: Platform
  /** Undefined for all collections that the token grants. */
  readonly collections: readonly string[] | undefined
  readonly term: number
  /** Tells what a transaction has changed, which keys it was about, and which edits it has answered. */
  readonly onWritten: (writes: Writes, keys: readonly string[], answers: readonly Answer[]) => void
  readonly onStatus: (status: LineStatus) => void
  /** The line has ended: another tab leads, or the store is gone. */
  readonly onEnd: (reason: unknown) => void
}

/**
 * The serial line between the store of a device and its space. Pushes, pulls and frames are handled one after the
 * other, in the one tab that leads.
 */
export class Line {
  readonly session: Session
  readonly #options: LineOptions
  readonly #connection: Connection
  #state: ReplicaState
  #status: LineStatus = { online: false, live: false, behind: true, obstacle: null }
  #isRunning = false
  /** Something came up while the line was running. */
  #isCalled = false
  #isStopped = false
  #wantsPull = true
  /** The space is full: deletions go first. */
  #isFull = false
  #mendings = 0
  #failures = 0
  /** The service asked to wait until then, ms since 1970. */
  #notBefore = 0
  #stopTimer = () => {}
  #drains: { resolve(): void; reject(reason: unknown): void }[] = []

  constructor(options: LineOptions, state: ReplicaState) {
    this.#options = options
    this.#state = state
    const { url, token, platform } = options
    this.session = newSession({
      url,
      token,
      platform,
      clientId: () => this.#state.clientId,
      onAdmitted: (reply) => this.#write({ prefix: '' }, (found) => admitted(found, options.term, reply)),
    })
    this.#connection = new Connection({
      ...options,
      session: this.session,
      onFrame: () => this.#run(),
      onChange: (isOpen) => this.#reconnected(isOpen),
    })
  }

  /** Sends and reads everything, now. Resolves when the queue is empty and the copy is up to date. */
  drain(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#drains.push({ resolve, reject })
      const { obstacle } = this.#status
      if (this.#isStopped) this.#settle(deposed())
      else if (this.#isAskedToWait())
        this.#settle(new ChronicleError(obstacle?.code ?? 'offline', obstacle?.detail ?? ''))
      else this.retry()
    })
  }

  /** Tries again at once, unless the service asked to wait. */
  retry(): void {
    if (this.#isAskedToWait()) return
    this.#wantsPull = true
    this.#run()
    this.#connection.reconnect()
  }

  /** The queue has new edits. After a failure they wait for the next attempt. */
  wake(): void {
    if (this.#failures === 0) this.#run()
  }

  stop(): void {
    this.#isStopped = true
    this.#stopTimer()
    this.#connection.stop()
    this.#settle(deposed())
  }

  #isAskedToWait(): boolean {
    return this.#options.platform.now() < this.#notBefore
  }

  #run(): void {
    this.#isCalled = true
    if (this.#isRunning || this.#isStopped) return
    this.#isRunning = true
    this.#stopTimer()
    void this.#steps().then(
      () => this.#rest(),
      (thrown: unknown) => this.#fail(thrown),
    )
  }

  async #steps(): Promise<void> {
    do {
      this.#isCalled = false
      // A session may show that the space is another one, which changes what is sent.
      await this.session.open()
    } while ((await this.#step()) || this.#isCalled)
  }

  /** Takes the frames that wait, and makes one request if one is due. Returns whether it did. */
  async #step(): Promise<boolean> {
    await this.#takeFrames()
    const { term } = this.#options
    const isFull = this.#isFull
    const wanted = isFull ? { prefix: '' } : { first: SIZE.changes, ids: this.#state.outgoing?.edits ?? [] }
    const sending = await this.#update(wanted, (found) => nextBatch(found, { term, size: SIZE, isFull }))
    const [first] = sending.sent
    if (first === undefined && isFull) throw new ChronicleError('quota-exceeded', 'the space is full')
    if (first === undefined && !this.#wantsPull) return false
    if (first?.resolves) await this.#resolve(first)
    else await this.#exchange(sending)
    return true
  }

  async #exchange({ sent, state }: Sending): Promise<void> {
    const { platform, collections } = this.#options
    const body = requestOf(sent, state, { now: platform.now(), collections })
    const reply = await this.#send(body).catch((thrown: unknown) => this.#mend(thrown, sent))
    if (reply === undefined) return
    this.#wantsPull = reply.more === true
    await this.#take(sent, reply)
    this.#isFull = false
    this.#mendings = 0
    this.#failures = 0
    this.#tell({ online: true, behind: this.#wantsPull, obstacle: null })
    if (!this.#wantsPull && this.#state.restart !== null)
      await this.#write({ prefix: '' }, (found) => endRestart(found, this.#options.term))
  }

  /** Sends over the socket if there is one: its frames and answers come in order. */
  async #send(body: SyncRequest): Promise<SyncReply> {
    const { live } = this.#connection
    if (live === undefined)
      return (await this.session.request('/api/sync', { method: 'POST', body })) as SyncReply
    const reply = await live.exchange(body)
    this.#connection.works()
    return reply
  }

  async #take(sent: readonly QueuedEdit[], reply: Reply): Promise<void> {
    const { term, collections, platform, onWritten } = this.#options
    const own = sent.map(({ key }) => key)
    const wanted = wantedFor(this.#state, reply, own)
    const exchange = { term, sent, reply, collections, now: platform.now() }
    const received = await this.#update(wanted, (found) => takeReply(found, exchange))
    if (reply.cursor !== undefined) this.#connection.live?.seen(reply.cursor)
    onWritten(received, own, received.answers)
  }

  async #takeFrames(): Promise<void> {
    for (const frame of this.#connection.live?.frames() ?? []) {
      if (frame === null) this.#wantsPull = true
      else if (frame.from === this.#state.cursor) await this.#take([], replyOf(frame))
      else if (frame.cursor !== this.#state.cursor) this.#wantsPull = true
    }
  }

  /** Sends the decision of a conflict. The next pull brings whatever else has changed. */
  async #resolve(edit: QueuedEdit): Promise<void> {
    const { store, term } = this.#options
    const wanted = { keys: [edit.key] }
    const { entries } = await store.read(wanted)
    const { path, body } = decisionOf(edit, entries.get(edit.key)?.version ?? null)
    this.#wantsPull = true
    try {
      const reply = await this.session.request(path, { method: 'POST', body })
      const { version } = reply as { version: string | null }
      await this.#write(wanted, (found) => answeredChoice(found, { term, edit, version }), wanted.keys)
    } catch (thrown) {
      const code = codeOf(thrown)
      if (!isFinal(code)) return this.#mend(thrown, [])
      await this.#write(wanted, (found) => changedMind(found, { term, edit, code }), wanted.keys)
    }
  }

  /** Prepares another attempt, as the code asks for. Throws if the device has to wait. */
  async #mend(thrown: unknown, sent: readonly QueuedEdit[]): Promise<undefined> {
    this.#mendings += 1
    const problem = thrown instanceof ChronicleError ? thrown.problem : undefined
    if (problem === undefined || this.#mendings > MOST_MENDINGS) throw thrown
    if (problem.status === 401) {
      this.session.forget()
      if (this.#mendings === 1) return
    }
    const ids = sent.map(({ id }) => id)
    const { term, platform } = this.#options
    const mending = mendingOf(problem, { term, ids, newId: platform.newId })
    const isFull = problem.code === 'quota-exceeded'
    if (mending === undefined || sent.length === 0 || (isFull && this.#isFull)) throw thrown
    const { clientId } = this.#state
    this.#isFull = isFull
    const keys = sent.map(({ key }) => key)
    await this.#write(mending.wanted, mending.decide, keys)
    if (this.#state.clientId !== clientId) this.session.forget()
  }

  async #update<T extends Writes>(wanted: Wanted, decide: (found: Found) => T): Promise<T> {
    if (this.#isStopped) throw deposed()
    const writes = await this.#options.store.update(wanted, decide)
    if (writes.state) this.#state = writes.state
    return writes
  }

  async #write(
    wanted: Wanted,
    decide: (found: Found) => Writes,
    keys: readonly string[] = [],
  ): Promise<void> {
    this.#options.onWritten(await this.#update(wanted, decide), keys, [])
  }

  /** The queue is empty and the copy is up to date. */
  #rest(): void {
    this.#isRunning = false
    if (this.#isStopped) return
    this.#settle()
    this.#connection.connect()
    if (!this.#connection.live) this.#runAfter(POLL_MS)
  }

  #fail(thrown: unknown): void {
    this.#isRunning = false
    if (this.#isStopped) return
    if (!isPassing(thrown)) {
      this.stop()
      this.#options.onEnd(thrown)
      return
    }
    const { platform } = this.#options
    const { ms, isAsked } = waitAfter(thrown, this.#failures, platform.random())
    if (isAsked) this.#notBefore = platform.now() + ms
    this.#failures += 1
    this.#mendings = 0
    this.#isFull = false
    const obstacle = obstacleOf(thrown)
    this.#tell({ online: obstacle.code !== 'offline', obstacle })
    this.#settle(thrown)
    this.#runAfter(ms)
  }

  #runAfter(ms: number): void {
    this.#stopTimer = this.#options.platform.after(ms, () => {
      this.#wantsPull = true
      this.#run()
    })
  }

  #settle(reason?: unknown): void {
    const drains = this.#drains
    this.#drains = []
    for (const { resolve, reject } of drains) reason === undefined ? resolve() : reject(reason)
  }

  #tell(change: Partial<LineStatus>): void {
    this.#status = { ...this.#status, ...change }
    this.#options.onStatus(this.#status)
  }

  /** The first exchange over a socket tells the service where this device stands. Without one, a pull may be due. */
  #reconnected(isOpen: boolean): void {
    this.#wantsPull = true
    this.#tell({ live: isOpen })
    if (isOpen || this.#failures === 0) this.#run()
  }
}
