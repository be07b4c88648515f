import { DurableObject, tracing } from 'cloudflare:workers'
import { type Caller, OPENING_HEADER, type Session } from '../core/access/session.ts'
import type { Fault } from '../core/fault.ts'
import { formatCursor } from '../core/feed/cursor.ts'
import { type Filter, narrow } from '../core/values/collections.ts'
import { formatTag, isKnown } from '../core/values/etag.ts'
import { accepted, type Result } from '../core/values/result.ts'
import type { ResolveRequest } from '../schema/request/conflict.ts'
import type {
  ChangesQuery,
  ConflictsQuery,
  DevicesQuery,
  EntriesQuery,
  HistoryQuery,
  StatusQuery,
} from '../schema/request/query.ts'
import { type Live, liveOf, type Opening } from './live/live.ts'
import { replyToClose } from './live/socket.ts'
import { readChanges } from './read/changes.ts'
import { listConflicts } from './read/conflicts.ts'
import { listEntries } from './read/entries.ts'
import { readEntry } from './read/entry.ts'
import { readHistory } from './read/history.ts'
import type { Tagged } from './read/reply.ts'
import { readStatus } from './read/status.ts'
import { type Observer, observerOf } from './report/observer.ts'
import {
  type Credential,
  checkCollections,
  checkCredential,
  checkScope,
  checkSession,
  checkWhole,
  revoke,
  spendBudget,
  spendTicket,
} from './space/admission.ts'
import { type AlarmTask, alarmRunner } from './space/alarm.ts'
import { type ClientIdentity, type ClientState, clientStateOf } from './space/client.ts'
import { PAGE_WEIGHT, serve } from './space/serve.ts'
import { openSpace, type Space } from './space/space.ts'
import { migrate, newEpoch } from './store/tables.ts'
import { eraseSpace } from './transfer/erase.ts'
import { exportSpace } from './transfer/export.ts'
import { type ImportRequest, importSpace } from './transfer/import.ts'
import { type Resealing, reseal, upkeep } from './upkeep/upkeep.ts'
import { resolveConflict } from './write/resolve.ts'
import { type Synced, sync } from './write/sync.ts'

/**
 * The Durable Object of one space: the single writer of everything that its devices share. Every method takes a session
 * that the Worker has verified, and returns the JSON text of the reply or a fault.
 */
export class Chronicle extends DurableObject<Env> {
  readonly #space: Space
  readonly #storage: DurableObjectStorage
  readonly #live: Live
  readonly #observer: Observer
  readonly #runAlarm: (task: AlarmTask) => Promise<void>

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    this.#storage = ctx.storage
    migrate(ctx.storage, newEpoch())
    this.#space = openSpace(ctx, env, tracing)
    this.#runAlarm = alarmRunner(this.#space.alarm, ctx.storage.sql)
    this.#observer = observerOf(ctx, env, this.#space)
    const shared = { ctx, env, space: this.#space, observer: this.#observer }
    this.#live = liveOf({ ...shared, clock: Date.now, newId: () => crypto.randomUUID() })
  }

  /**
   * Pushes and pulls. `text` is the body of `POST /api/sync`, parsed here and nowhere else. `now` is when the request
   * arrived, ms, before its body was read: a slow upload would otherwise look like a client clock that is behind.
   */
  async sync(
    session: Session,
    body: { readonly text: string; readonly now: number },
  ): Promise<Result<Synced, Fault>> {
    const counted = await this.#spendBudget(session)
    if (!counted.ok) return counted
    try {
      const synced = await sync(this.#space, session, body)
      if (synced.ok) this.#observer.synced(session, synced.value)
      else this.#observer.refused(synced.fault)
      return synced
    } finally {
      this.#live.changed()
    }
  }

  /**
   * Opens a socket for a request whose header holds what the Worker has verified. Responds with the socket, or with the
   * fault as JSON.
   */
  override async fetch({ headers }: Request): Promise<Response> {
    // Only the Worker reaches an object, and only `http/routes/live.ts` writes this header. The last release called the header `opening`.
    const text = headers.get(OPENING_HEADER) ?? headers.get('opening') ?? ''
    const opening = JSON.parse(decodeURIComponent(text)) as Opening
    const counted = await this.#spendBudget(opening.session)
    const entered = counted.ok ? spendTicket(this.#space, opening.ticket, Date.now()) : counted
    const opened = entered.ok ? this.#live.open(opening) : entered
    if (!opened.ok) return Response.json(opened.fault)
    return new Response(null, { status: 101, webSocket: opened.value })
  }

  /** Checks whether the session may get a ticket, by the rules of the socket that the ticket opens. */
  async ticket(session: Session): Promise<Result<true, Fault>> {
    return this.#authorizeRead(session)
  }

  override webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    return this.#live.receive(socket, message)
  }

  override webSocketClose(socket: WebSocket, code: number): void {
    replyToClose(socket, code)
    this.#observer.left(this.#live.followerOf(socket))
  }

  /** `GET /api/changes`. */
  async changes(session: Session, query: ChangesQuery, known: string | null): Promise<Result<Tagged, Fault>> {
    const { cursor = null, collections } = query
    const allowed = await this.#authorizeRead(session, collections)
    if (!allowed.ok) return allowed
    const tag = this.#tag(narrow(collections ?? null, session.collections), [])
    if (isKnown(tag, known)) {
      this.#observer.saw(session, cursor)
      return accepted({ tag, text: null })
    }
    return this.#serve(session, async () => {
      const { text, cursor } = await readChanges(this.#space, session, query)
      this.#observer.saw(session, cursor)
      return accepted({ tag, text })
    })
  }

  /** `GET /api/status`. */
  async status(
    session: Session,
    { cursor, collections }: StatusQuery,
    known: string | null,
  ): Promise<Result<Tagged, Fault>> {
    const allowed = await this.#authorizeRead(session, collections)
    if (!allowed.ok) return allowed
    const { filter, counts, reply } = readStatus(this.#space, session, { cursor, collections })
    const tag = this.#tag(filter, counts)
    if (isKnown(tag, known)) return accepted({ tag, text: null })
    return accepted({ tag, text: JSON.stringify(reply()) })
  }

  /** `GET /api/entries` of one key. */
  async entry(session: Session, key: string): Promise<Result<string, Fault>> {
    const allowed = await this.#authorizeRead(session)
    return allowed.ok ? this.#serve(session, () => readEntry(this.#space, session, key)) : allowed
  }

  /** `GET /api/entries` of a prefix. */
  async entries(session: Session, query: EntriesQuery): Promise<Result<string, Fault>> {
    const allowed = await this.#authorizeRead(session)
    return allowed.ok ? this.#serve(session, () => listEntries(this.#space, session, query)) : allowed
  }

  /** `GET /api/conflicts`. */
  async conflicts(session: Session, query: ConflictsQuery): Promise<Result<string, Fault>> {
    const allowed = await this.#authorizeRead(session)
    if (!allowed.ok) return allowed
    return this.#serve(session, async () =>
      accepted(await listConflicts(this.#space, query, session.collections)),
    )
  }

  /** `POST /api/conflicts/{id}/resolve`. */
  async resolve(session: Session, id: number, request: ResolveRequest): Promise<Result<string, Fault>> {
    const counted = await this.#spendBudget(session)
    if (!counted.ok) return counted
    try {
      const now = Date.now()
      return await this.#serve(session, () => resolveConflict(this.#space, session, { id, request, now }))
    } finally {
      this.#live.changed()
      this.#observer.turned()
    }
  }

  /** `GET /api/history`. */
  async history(session: Session, query: HistoryQuery): Promise<Result<string, Fault>> {
    const allowed = await this.#authorizeRead(session)
    return allowed.ok ? this.#serve(session, () => readHistory(this.#space, session, query)) : allowed
  }

  /** `GET /api/clients`. */
  async clients(session: Session, query: DevicesQuery): Promise<Result<string, Fault>> {
    const counted = await this.#spendBudget(session)
    const allowed = counted.ok ? checkWhole(session, 'space:read') : counted
    if (!allowed.ok) return allowed
    return this.#serve(session, async () => accepted(this.#observer.list(query, this.#live.followers())))
  }

  /** `GET /api/export`. */
  async export(session: Session): Promise<Result<ReadableStream<Uint8Array>, Fault>> {
    const counted = await this.#spendBudget(session)
    return counted.ok ? exportSpace(this.#space, session, Date.now) : counted
  }

  /** `POST /api/import`. */
  async import(session: Session, request: ImportRequest): Promise<Result<string, Fault>> {
    const counted = await this.#spendBudget(session)
    if (!counted.ok) return counted
    try {
      return await importSpace(this.#space, session, { ...request, clock: Date.now })
    } finally {
      this.#live.changed()
      this.#observer.turned()
    }
  }

  /** Checks that a token or session was not revoked, and returns the state of its client. Called before a session is opened. */
  async admit(caller: Credential & Partial<ClientIdentity>): Promise<Result<Partial<ClientState>, Fault>> {
    const known = checkCredential(this.#space, caller, Date.now())
    return known.ok ? accepted(clientStateOf(this.#space, caller)) : known
  }

  /**
   * Ends a session, or all sessions of a token. `until`: when the last of them would have expired, ms. `issuedBy`, ms:
   * sessions issued later stay valid; without it, none do.
   */
  async revoke(id: string, until: number, issuedBy = Number.MAX_SAFE_INTEGER): Promise<void> {
    revoke(this.#space, id, { now: Date.now(), until, issuedBy, since: 0 })
    this.#live.close(id)
  }

  /**
   * Ends all sessions of a token at a future time, ms, including sessions opened before then. Returns the time at which
   * they end, which is earlier if the token was already retired or revoked. `until`: as for `revoke`. Sockets end at
   * their next event, like those of an expired session.
   */
  async retire(id: string, since: number, until: number): Promise<number> {
    return revoke(this.#space, id, { now: Date.now(), until, issuedBy: Number.MAX_SAFE_INTEGER, since }).since
  }

  /**
   * `DELETE /api/space`: erases everything in the space, and ends all of its sessions and tokens. Not charged to any
   * budget: no session can ask for it twice.
   */
  async erase(session: Session): Promise<Result<true, Fault>> {
    const known = checkCredential(this.#space, session, Date.now())
    const allowed = known.ok ? checkWhole(session) : known
    if (!allowed.ok) return allowed
    const founding = { epoch: newEpoch(), now: Date.now(), space: session.space }
    await eraseSpace(this.#storage, this.#space, founding)
    this.#observer.erased()
    this.#live.close()
    return accepted(true)
  }

  /** Reports how much of the space is sealed with the newest master key, and continues the work if any is left. */
  async reseal(): Promise<Resealing> {
    return reseal(this.#space, Date.now())
  }

  /** Runs the next bounded piece of upkeep. */
  override async alarm(): Promise<void> {
    await this.#runAlarm({
      work: (now) => upkeep(this.#space, now),
      report: this.#observer.failed,
      clock: Date.now,
    })
    this.#observer.catchUp()
    this.#observer.turned()
  }

  /**
   * The entity tag of a reply that depends on the state of the space, on the reader's filter, and on `more`. It includes
   * the Worker's version, because another version may word the same reply differently.
   */
  #tag(filter: Filter, more: readonly (string | number)[]): string {
    const { epoch, seq, floor } = this.#space.state
    return formatTag([formatCursor(epoch, { seq, scan: 0 }, filter), floor, ...more, this.env.VERSION])
  }

  #serve<T>(session: Session, work: () => Promise<Result<T, Fault>>): Promise<Result<T, Fault>> {
    return serve(this.#space, { session, weight: PAGE_WEIGHT, now: Date.now() }, work)
  }

  /** Charges a request to the budgets of its session. Every request passes here first, except those that end a session. */
  #spendBudget(session: Caller): Promise<Result<true, Fault>> {
    const now = Date.now()
    this.#space.hearOfConfig(session.configRevision, now)
    return spendBudget(this.#space, session, now)
  }

  async #authorizeRead(session: Session, asked?: readonly string[]): Promise<Result<true, Fault>> {
    const counted = await this.#spendBudget(session)
    const known = counted.ok ? checkSession(this.#space, session, Date.now()) : counted
    const allowed = known.ok ? checkScope(session, 'sync:read') : known
    return allowed.ok ? checkCollections(session, asked) : allowed
  }
}
