import type { Found } from '../../../client/src/store/store.ts'
import type { Snapshot } from '../checks/final-checks.ts'
import type { Habits } from '../clients/client.ts'
import type { Figure } from '../history/host.ts'
import type { World } from '../history/world.ts'
import type { NodeHost } from '../host/node-host.ts'
import { type Change, type Frame, type Reply, type Request, seqOf } from '../values/wire.ts'
import type { Browser } from './browser.ts'
import type { Commit } from './disk.ts'
import { habitsOf, type Observer } from './edge.ts'
import type { Ledger } from './ledger.ts'

/** The history that is watched. */
interface Watched {
  readonly era: World<NodeHost>
  readonly ledger: Ledger
  readonly now: () => number
  count(figure: Figure, by?: number): void
}

/** Sees what the service answers to devices, and what they commit: counts it, and has it checked. */
export class Witness implements Observer {
  readonly #watched: Watched
  /** The ends of complete pulls, by client. */
  readonly #complete = new Set<string>()
  readonly #incomplete = new Set<string>()

  constructor(watched: Watched) {
    this.#watched = watched
  }

  readonly now = (): number => this.#watched.now()

  answered(client: Habits, request: Request, reply: Reply): void {
    const { ledger, era } = this.#watched
    ledger.take(client.id, request, reply.results)
    this.#watched.count('batches', Number(request.batch !== undefined && !reply.replayed))
    era.examine({ client, request: this.#seenBy(request), reply }, this.#watched)
    const end = `${client.id} ${reply.cursor}`
    // A page that is cut off there may leave out what stood there.
    if (reply.more) this.#incomplete.add(end)
    else if (reply.cursor !== undefined) this.#complete.add(end)
  }

  /** The request as the space sees it: a version of an erased space is an unknown base (VE1). */
  #seenBy({ changes, ...request }: Request): Request {
    const isForeign = ({ base }: Change) => typeof base === 'string' && !base.startsWith(`${this.#epoch}.`)
    return {
      ...request,
      changes: changes.map((change) => (isForeign(change) ? { ...change, base: 'unknown' } : change)),
    }
  }

  refused(client: Habits, request: Request, code: string): void {
    if (code === 'batch-forgotten') this.#watched.ledger.forget(client.id, request)
    this.#watched.count(code === 'quota-exceeded' ? 'quotaRefusals' : 'refusals')
  }

  expired(): void {
    this.#watched.count('expiries')
  }

  sent(client: Habits, frame: Frame): void {
    this.#watched.count('frames')
    // The first frame of a socket tells where it begins, and brings nothing.
    if (frame.type === 'changes' && frame.from === null) return
    this.#watched.era.replies.takeFrame({ client, frame })
    if (frame.type === 'changes' && this.#complete.has(`${client.id} ${frame.from}`))
      this.#complete.add(`${client.id} ${frame.cursor}`)
  }

  asked(id: number): void {
    this.#watched.era.asked.add(id)
  }

  resolved(client: Habits, resolution: { id: number; base: string | null }, reply: object): void {
    const { era } = this.#watched
    const { version, replayed } = reply as { version: string | null; replayed: boolean }
    this.#watched.count('resolutions')
    era.open.delete(resolution.id)
    era.resolved.push({ ...resolution, by: client.id, version, replayed })
  }

  /** Checks a transaction of a device, and its copy if it is one of the end of a pull. */
  committed(browser: Browser, commit: Commit): void {
    const { ledger, era } = this.#watched
    ledger.commit(browser, commit)
    if (!this.#isEnd(commit)) return
    const snapshot = snapshotOf(browser, commit.rows)
    // The decision of a conflict goes into the copy before the page that brings it.
    const decided = new Set(era.resolved.map(({ version }) => version))
    const isAhead = [...commit.rows.entries.values()].some(
      ({ version }) => seqOf(version) > snapshot.seq && decided.has(version),
    )
    if (isAhead) return
    era.count('snapshots')
    era.snapshots.push(snapshot)
  }

  /** Whether a transaction brings a device to the end of a complete pull from the space of this time. */
  #isEnd({ before, writes: { state, entries = [], gone = [] } }: Commit): boolean {
    const isOther = state?.cursor !== before?.cursor || entries.length > 0 || gone.length > 0
    if (!isOther || state === undefined || state.restart !== null || state.cursor === null) return false
    const end = `${state.clientId} ${state.cursor}`
    const isComplete = this.#complete.has(end) && !this.#incomplete.has(end)
    return isComplete && state.cursor.startsWith(`${this.#epoch}.`)
  }

  get #epoch(): string {
    return this.#watched.era.host.server.space.state.epoch
  }
}

/** The copy in the store of a device, for the checks of all clients. */
export function snapshotOf({ user, collections }: Browser, { state, entries }: Found): Snapshot {
  const { clientId = '', cursor } = state ?? {}
  return {
    client: habitsOf({ client: clientId, subject: user.subject, collections: user.granted }, { collections }),
    seq: seqOf(cursor ?? ''),
    copy: new Map(
      Array.from(entries.values(), ({ key, value, version }) => [key, { value, version, deleted: false }]),
    ),
  }
}
