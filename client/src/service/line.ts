import { admitted } from '../replica/refusal.ts'
import { deposed } from '../replica/state.ts'
import type { ReplicaState } from '../store/store.ts'
import { ChronicleError } from '../values/errors.ts'
import { Connection } from './connection.ts'
import { Courier, type CourierOptions } from './courier.ts'
import { isPassing, obstacleOf } from './mend.ts'
import { Pace, POLL_MS } from './pace.ts'
import { newSession, type Session, type SessionOptions } from './session.ts'
import type { LineStatus } from './status.ts'

interface LineOptions
  extends Pick<CourierOptions, 'store' | 'platform' | 'collections' | 'term' | 'onWritten'> {
  readonly url: string
  readonly token: SessionOptions['token']
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
  readonly #courier: Courier
  readonly #pace: Pace
  #status: LineStatus
  /** Jobs that run one after the other. */
  #work: Promise<void> = Promise.resolve()
  /** A job that sends and reads everything waits for its turn. */
  #isDue = false
  #isStopped = false
  #drains: { resolve(): void; reject(reason: unknown): void }[] = []

  constructor(options: LineOptions, state: ReplicaState) {
    const { url, token, platform, term } = options
    this.#options = options
    this.#status = { online: false, live: false, behind: true, lastSync: state.lastSync, obstacle: null }
    this.#pace = new Pace(platform, () => this.#pull())
    this.#courier = new Courier(
      {
        ...options,
        session: () => this.session,
        connection: () => this.#connection,
        isFailing: () => this.#pace.isFailing,
        onAnswered: () => this.#answered(),
      },
      state,
    )
    this.session = newSession({
      ...{ url, token, platform, clientId: () => this.#courier.state.clientId },
      onAdmitted: (reply) =>
        this.#courier.write({ edits: true, outcomes: true }, (found) => admitted(found, term, reply)),
    })
    this.#connection = new Connection({
      ...options,
      session: this.session,
      onFrame: () => this.#serially(() => this.#takeFrames()),
      onChange: (isOpen) => this.#reconnected(isOpen),
    })
  }

  /** Sends and reads everything, now. Resolves when the queue is empty and the copy is up to date. */
  drain(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#drains.push({ resolve, reject })
      if (this.#isStopped) this.#settle(deposed())
      else if (this.#pace.isAskedToWait) this.#settle(this.#waiting())
      else this.retry()
    })
  }

  /** Tries again at once, unless the service asked to wait. */
  retry(): void {
    if (this.#pace.isAskedToWait) return
    this.#pull()
    this.#connection.reconnect()
  }

  /** The device has no network. A socket would find out late. */
  disconnect(): void {
    this.#connection.renew()
  }

  /** The queue has new edits. After a failure they wait for the next attempt. */
  wake(): void {
    if (!this.#pace.isFailing) this.#run()
  }

  stop(): void {
    this.#isStopped = true
    this.#courier.stop()
    this.#pace.cancel()
    this.#connection.stop()
    this.#settle(deposed())
  }

  #pull(): void {
    this.#courier.wantsPull = true
    this.#run()
  }

  #run(): void {
    if (this.#isDue) return
    this.#isDue = true
    this.#serially(async () => {
      this.#isDue = false
      if (this.#pace.isAskedToWait) this.#settle(this.#waiting())
      else await this.#steps()
    })
  }

  #serially(job: () => Promise<void>): void {
    this.#work = this.#work
      .then(() => (this.#isStopped ? undefined : job()))
      .catch((thrown: unknown) => this.#fail(thrown))
  }

  async #steps(): Promise<void> {
    this.#pace.cancel()
    // A session may show that the space is another one, which changes what is sent.
    do await this.session.open()
    while (await this.#courier.step())
    if (this.#courier.refusal !== undefined) throw this.#courier.refusal
    this.#rest()
  }

  /** Takes frames at once, also while requests have to wait. */
  async #takeFrames(): Promise<void> {
    await this.#courier.takeFrames()
    if (this.#courier.wantsPull) this.wake()
  }

  /** The queue is empty and the copy is up to date. */
  #rest(): void {
    if (this.#isStopped || this.#isDue) return
    this.#settle()
    this.#connection.connect()
    if (!this.#connection.live) this.#pace.later(POLL_MS)
  }

  #answered(): void {
    const { refusal, wantsPull, state } = this.#courier
    if (refusal === undefined) this.#pace.succeed()
    const obstacle = refusal === undefined ? null : obstacleOf(refusal)
    this.#tell({ online: true, behind: wantsPull, lastSync: state.lastSync, obstacle })
  }

  #fail(thrown: unknown): void {
    if (this.#isStopped) return
    if (!isPassing(thrown)) {
      this.stop()
      this.#options.onEnd(thrown)
      return
    }
    this.#courier.startOver()
    this.#pace.fail(thrown)
    const obstacle = obstacleOf(thrown)
    const { code, detail } = obstacle
    this.#tell({ online: code !== 'offline', behind: true, obstacle })
    const isKnown = thrown instanceof ChronicleError
    // A call that came meanwhile has an attempt of its own.
    if (!this.#isDue) this.#settle(isKnown ? thrown : new ChronicleError(code, detail, { cause: thrown }))
  }

  #waiting(): ChronicleError {
    const { obstacle } = this.#status
    return new ChronicleError(obstacle?.code ?? 'busy', obstacle?.detail ?? 'the service asked to wait')
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
    this.#courier.wantsPull = true
    this.#tell({ live: isOpen })
    if (isOpen || !this.#pace.isFailing) this.#run()
  }
}
