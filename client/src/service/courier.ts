import { type BatchSize, nextBatch } from '../replica/batch.ts'
import { isFinal, remedyOf } from '../replica/refusal.ts'
import { type Answer, type Reply, takeReply } from '../replica/reply.ts'
import { answeredChoice, changedMind } from '../replica/resolve.ts'
import { endRestart, wantedFor } from '../replica/restart.ts'
import { deposed } from '../replica/state.ts'
import type { Found, QueuedEdit, ReplicaState, Store, Wanted, Writes } from '../store/store.ts'
import { ChronicleError, problemIn } from '../values/errors.ts'
import type { Platform } from '../values/platform.ts'
import type { Problem, SyncReply } from '../values/wire.ts'
import type { Connection } from './connection.ts'
import { mendingOf } from './mend.ts'
import { decisionOf, replyOf, requestOf } from './request.ts'
import type { Session } from './session.ts'

const SIZE: BatchSize = { changes: 500, bytes: 100_000 }
/** A refused batch of 500 takes ten attempts until a single edit is set aside. More without an answer are no progress. */
const MOST_MENDINGS = 20

export interface CourierOptions {
  readonly store: Store
  readonly platform: Platform
  /** Undefined for all collections that the token grants. */
  readonly collections: readonly string[] | undefined
  readonly term: number
  readonly session: () => Session
  readonly connection: () => Connection
  /** Whether the last request did not come through. */
  readonly isFailing: () => boolean
  /** Tells what a transaction has changed, which keys it was about, and which edits it has answered. */
  readonly onWritten: (writes: Writes, keys: readonly string[], answers: readonly Answer[]) => void
  /** The service has answered a request. */
  readonly onAnswered: () => void
}

/** Carries batches to the service, and pages and frames back into the store. Calls must not overlap. */
export class Courier {
  /** Whether the space may hold changes that this device has not read. */
  wantsPull = true
  /** Why the queue does not move, while the rest is still read. */
  refusal: unknown
  readonly #options: CourierOptions
  #state: ReplicaState
  #isStopped = false
  /** The space is full: deletions go first. */
  #isFull = false
  #mendings = 0
  /** Answers that are told after the last page. */
  readonly #held: Parameters<CourierOptions['onWritten']>[] = []

  constructor(options: CourierOptions, state: ReplicaState) {
    this.#options = options
    this.#state = state
  }

  get state(): ReplicaState {
    return this.#state
  }

  /** Takes the frames that wait, and makes one request if one is due. Returns whether it did. */
  async step(): Promise<boolean> {
    await this.takeFrames()
    // What others have written is read, even if the queue does not move.
    const sent = this.refusal === undefined ? await this.#nextBatch() : []
    if (sent.length === 0 && !this.wantsPull) return false
    // Another session may show that the space is another one, for which the batch is made again.
    if (!this.#options.session().isOpen) return true
    if (sent[0]?.resolves) await this.#decide(sent[0])
    else await this.#exchange(sent)
    return true
  }

  async takeFrames(): Promise<void> {
    const { live } = this.#options.connection()
    for (const frame of live?.frames() ?? []) {
      const { cursor } = this.#state
      // The first frame of a socket begins nowhere, and brings nothing of what an empty copy lacks.
      if (frame !== null && frame.from !== null && frame.from === cursor) await this.#take([], replyOf(frame))
      else if (frame === null || frame.cursor !== cursor) this.wantsPull = true
      else live?.seen(frame.cursor)
    }
  }

  async write(wanted: Wanted, decide: (found: Found) => Writes, keys: readonly string[] = []): Promise<void> {
    this.#options.onWritten(await this.#update(wanted, decide), keys, [])
  }

  /** The attempt has failed. The next one begins anew. */
  startOver(): void {
    this.#mendings = 0
    this.#isFull = false
    this.refusal = undefined
    this.wantsPull = true
  }

  /** Whatever is still answered changes nothing. */
  stop(): void {
    this.#isStopped = true
    this.#tellAnswers()
  }

  async #nextBatch(): Promise<readonly QueuedEdit[]> {
    const { term } = this.#options
    const isFull = this.#isFull
    const queue = { first: SIZE.changes, ids: this.#state.outgoing?.edits ?? [] }
    const wanted = isFull ? ({ edits: true } as const) : queue
    const { sent } = await this.#update(wanted, (found) => nextBatch(found, { term, size: SIZE, isFull }))
    if (isFull && sent.length === 0) this.refusal = new ChronicleError('quota-exceeded', 'the space is full')
    return sent
  }

  /** Returns whether the service has answered. If not, the batch can be sent in another form. */
  async #exchange(sent: readonly QueuedEdit[]): Promise<boolean> {
    const { live } = this.#options.connection()
    this.wantsPull = false
    let reply: SyncReply
    try {
      reply = await this.#send(sent)
    } catch (thrown) {
      this.wantsPull = true
      // A socket ends with its session. The next attempt goes over HTTP.
      if (live === this.#options.connection().live) await this.#mend(thrown, sent)
      return false
    }
    await this.#take(sent, reply)
    this.wantsPull ||= reply.more === true
    this.#mendings = 0
    if (sent.length > 0) this.#isFull = false
    this.#options.onAnswered()
    if (reply.more !== true && this.#state.restart !== null)
      await this.write({ prefix: '' }, (found) => endRestart(found, this.#options.term))
    return true
  }

  /** Sends over the socket if there is one: its frames and answers come in order. */
  async #send(sent: readonly QueuedEdit[]): Promise<SyncReply> {
    const { platform, collections, session, connection, isFailing } = this.#options
    const filter = session().filter(collections)
    const options = { now: platform.now(), collections: filter, isSlow: isFailing() }
    const body = requestOf(sent, this.#state, options)
    const { live } = connection()
    if (live) return live.exchange(body)
    return (await session().request('/api/sync', { method: 'POST', body })) as SyncReply
  }

  async #take(sent: readonly QueuedEdit[], reply: Reply): Promise<void> {
    const { term, platform, onWritten, connection } = this.#options
    const collections = this.#options.session().filter(this.#options.collections)
    const own = sent.map(({ key }) => key)
    const wanted = wantedFor(this.#state, reply, own)
    const exchange = { term, sent, reply, collections, now: platform.now() }
    const received = await this.#update(wanted, (found) => takeReply(found, exchange))
    if (reply.cursor !== undefined) connection().live?.seen(reply.cursor)
    const { answered, outcomes, answers, ...page } = received
    this.#held.push([{ answered, outcomes } as Writes, own, answers])
    onWritten(page, [], [])
    if (!reply.more) this.#tellAnswers()
  }

  /**
   * Tells what became of edits when the page that holds their entries has come: a row would show the version before,
   * if its edit left the queue earlier.
   */
  #tellAnswers(): void {
    for (const answer of this.#held.splice(0)) this.#options.onWritten(...answer)
  }

  /** Sends the decision of a conflict. The next pull brings whatever else has changed. */
  async #decide(edit: QueuedEdit): Promise<void> {
    const { term, session } = this.#options
    const keys = [edit.key]
    const { path, body } = decisionOf(edit)
    this.wantsPull = true
    try {
      const reply = (await session().request(path, { method: 'POST', body })) as {
        version: string | null
        replayed: boolean
      }
      const { version, replayed } = reply
      await this.write({ keys }, (found) => answeredChoice(found, { term, edit, version, replayed }), keys)
    } catch (thrown) {
      const problem = problemIn(thrown)
      if (problem === undefined || !isFinal(problem)) return this.#mend(thrown, [])
      const { code } = problem
      await this.write({ keys }, (found) => changedMind(found, { term, edit, code }), keys)
    }
  }

  /** Prepares another attempt, as the code asks for. Throws if the device has to wait. */
  async #mend(thrown: unknown, sent: readonly QueuedEdit[]): Promise<void> {
    this.#mendings += 1
    const problem = problemIn(thrown)
    if (problem === undefined || this.#mendings > MOST_MENDINGS) throw thrown
    const remedy = remedyOf(problem)
    const isSignIn = remedy === 'sign-in'
    if (isSignIn) this.#options.session().forget()
    if (isSignIn && this.#mendings === 1) return
    if (isSignIn || sent.length === 0 || remedy === 'retry') throw thrown
    if (remedy === 'stop' || (remedy === 'free' && this.#isFull)) this.refusal = thrown
    // A single edit is set aside only if the service takes the request without it.
    else if (remedy !== 'split' || sent.length > 1 || (await this.#exchange([])))
      await this.#mendBatch(problem, sent)
  }

  async #mendBatch(problem: Problem, sent: readonly QueuedEdit[]): Promise<void> {
    const { term, platform, session, connection } = this.#options
    const mending = mendingOf(problem, { term, ids: sent.map(({ id }) => id), newId: platform.newId })
    if (mending === undefined) return
    const { clientId } = this.#state
    const keys = sent.map(({ key }) => key)
    this.#isFull = problem.code === 'quota-exceeded'
    this.wantsPull = true
    await this.write(mending.wanted, mending.decide, keys)
    if (this.#state.clientId === clientId) return
    session().forget()
    connection().renew()
  }

  async #update<T extends Writes>(wanted: Wanted, decide: (found: Found) => T): Promise<T> {
    if (this.#isStopped) throw deposed()
    const writes = await this.#options.store.update(wanted, decide)
    if (writes.state) this.#state = writes.state
    return writes
  }
}
