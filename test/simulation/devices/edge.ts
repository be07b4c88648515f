import type { Session } from '../../../worker/src/core/access/session.ts'
import type { Fault } from '../../../worker/src/core/fault.ts'
import { problemDocument, problemOf } from '../../../worker/src/core/problem.ts'
import { ENDINGS, endingOf } from '../../../worker/src/core/socket-ending.ts'
import { PUBLISHED_LIMITS } from '../../../worker/src/core/values/limits.ts'
import type { Result } from '../../../worker/src/core/values/result.ts'
import type { Space } from '../../../worker/src/objects/space/space.ts'
import type { Habits } from '../clients/client.ts'
import type { Server } from '../host/server.ts'
import type { ClientEnd } from '../network/lines.ts'
import type { Random } from '../values/random.ts'
import type { Frame, Request, Reply as SyncReply } from '../values/wire.ts'
import type { Call, Reply } from './network.ts'
import type { TabSocket } from './socket.ts'

/** Hears of the requests of devices. */
export interface Observer {
  readonly now: () => number
  answered(client: Habits, request: Request, reply: SyncReply): void
  refused(client: Habits, request: Request, code: string): void
  /** A session was over when it was used. */
  expired(): void
  sent(client: Habits, frame: Frame): void
  asked(id: number): void
  resolved(client: Habits, resolution: { id: number; base: string | null }, reply: object): void
}

/** The user of a device, and what its token grants. */
export interface User {
  readonly subject: string
  readonly granted: readonly string[] | null
}

/** A session lives for that long, seconds. */
const SESSION_SECONDS = [60, 600, 3600] as const

const TICKET_MS = 60_000

/** The part of the service before the space: sessions, tickets and routes, as the Worker has them. */
export class Edge {
  readonly #server: Server
  readonly #observer: Observer
  readonly #random: Random
  readonly #users = new Map<string, User>()
  readonly #sessions = new Map<string, Session>()
  readonly #tickets = new Map<string, { readonly session: Session; readonly expiresAt: number }>()
  readonly #pushes = new WeakMap<TabSocket, Pushes>()
  #names = 0

  constructor(server: Server, random: Random, observer: Observer) {
    this.#server = server
    this.#random = random
    this.#observer = observer
  }

  /** Creates a token, such as a user gets by signing in. */
  tokenFor(user: User): string {
    const token = `${user.subject}.${this.#observer.now()}`
    this.#users.set(token, user)
    return token
  }

  /** Ends all sessions at the next request, as a rotation of the signing key does. */
  expireAll(): void {
    for (const [bearer, session] of this.#sessions) this.#sessions.set(bearer, { ...session, expiresAt: 0 })
  }

  /** Answers a request. Null if the process dies before it can reply. */
  async handle(call: Call): Promise<Reply | null> {
    if (call.path === '/api/auth') return this.#admit(JSON.parse(call.body ?? ''))
    const session = this.#sessions.get(call.bearer ?? '')
    if (session === undefined) return refusalOf({ code: 'unauthorized', detail: 'no such session' })
    if (session.expiresAt * 1000 <= this.#observer.now()) {
      this.#observer.expired()
      return refusalOf({ code: 'session-expired' })
    }
    const body: unknown = JSON.parse(call.body ?? '{}')
    if (call.path === '/api/live/ticket') return this.#ticket(session)
    if (call.path === '/api/sync') return this.#sync(session, body as Request)
    const [, id] = /^\/api\/conflicts\/(\d+)\/resolve$/.exec(call.path) ?? []
    if (id === undefined) throw new Error(`a device asks for ${call.path}`)
    return this.#resolve(session, Number(id), body as Decision)
  }

  async #admit({ token, clientId }: { token: string; clientId: string }): Promise<Reply | null> {
    const user = this.#users.get(token)
    if (user === undefined) return refusalOf({ code: 'unauthorized', detail: 'no such token' })
    const now = this.#observer.now()
    this.#names += 1
    const session: Session = {
      id: `session-${this.#names}`,
      token: `token-${token}`,
      subject: user.subject,
      space: 'space',
      client: clientId,
      scopes: ['sync:read', 'sync:write'],
      collections: user.granted,
      issuedAt: Number(token.split('.').at(-1)),
      expiresAt: Math.floor(now / 1000) + this.#random.pick(SESSION_SECONDS),
    }
    const { checkCredential, clientStateOf } = this.#server.floor
    return this.#serve(
      async (space) => {
        const known = checkCredential(space, session, now)
        return known.ok ? { ok: true, value: JSON.stringify(clientStateOf(space, session)) } : known
      },
      (state) => {
        this.#sessions.set(session.id, session)
        const { subject, space, scopes, collections } = session
        const granted = { subject, space, scopes, collections, limits: PUBLISHED_LIMITS, clientId }
        return {
          success: true,
          session: session.id,
          expiresAt: session.expiresAt * 1000,
          ...granted,
          ...state,
        }
      },
    )
  }

  #ticket(session: Session): Promise<Reply | null> {
    const { checkCredential } = this.#server.floor
    const now = this.#observer.now()
    this.#names += 1
    const ticket = `ticket-${this.#names}`
    return this.#serve(
      async (space) => {
        const known = checkCredential(space, session, now)
        return known.ok ? { ok: true, value: '{}' } : known
      },
      () => {
        this.#tickets.set(ticket, { session, expiresAt: now + TICKET_MS })
        return { ticket }
      },
    )
  }

  async #sync(session: Session, request: Request): Promise<Reply | null> {
    const now = this.#observer.now()
    const client = habitsOf(session, request)
    const answer = await this.#serve(
      async (space) => {
        const result = await this.#server.floor.sync(space, session, { text: JSON.stringify(request), now })
        return result.ok ? { ok: true, value: result.value.text } : result
      },
      (reply) => reply,
    )
    // The reply was made by the service, so it has the documented shape.
    if (answer?.status === 200) this.#observer.answered(client, request, answer.body as SyncReply)
    else if (answer) this.#observer.refused(client, request, codeIn(answer.body))
    return answer
  }

  async #resolve(session: Session, id: number, request: Decision): Promise<Reply | null> {
    this.#observer.asked(id)
    const { checkCredential, resolveConflict } = this.#server.floor
    const now = this.#observer.now()
    const answer = await this.#serve(
      async (space) => {
        const known = checkCredential(space, session, now)
        return known.ok ? resolveConflict(space, session, { id, request, now }) : known
      },
      (reply) => reply,
    )
    const client = habitsOf(session, {})
    if (answer?.status === 200) this.#observer.resolved(client, { id, base: request.base }, answer.body)
    return answer
  }

  async #serve(
    work: (space: Space) => Promise<Result<string, Fault>>,
    shape: (value: object) => object,
  ): Promise<Reply | null> {
    const result = await this.#server.serve(work)
    if (result === null) return null
    return result.ok ? { status: 200, body: shape(JSON.parse(result.value)) } : refusalOf(result.fault)
  }

  /** Opens a socket with its ticket. A refusal is a socket that closes at once (LV30). */
  open(socket: TabSocket): ClientEnd | { readonly code: number; readonly reason: string } {
    const name = socket.protocols[1]?.replace('ticket.', '') ?? ''
    const ticket = this.#tickets.get(name)
    this.#tickets.delete(name)
    if (ticket === undefined || ticket.expiresAt <= this.#observer.now()) return closingOf('ticket-spent')
    const collections = collectionsOf(socket)
    const opened = this.#server.open(ticket.session, { ...(collections && { collections }) })
    if (!opened.ok) return closingOf(codeIn(refusalOf(opened.fault).body))
    this.#pushes.set(socket, { session: ticket.session, requests: new Map() })
    return opened.value
  }

  said(socket: TabSocket, text: string): void {
    const { type, id, body } = JSON.parse(text)
    if (type === 'push') this.#pushes.get(socket)?.requests.set(id, body)
  }

  says(socket: TabSocket, text: string): void {
    const pushes = this.#pushes.get(socket)
    const frame = JSON.parse(text)
    if (pushes === undefined) return
    const { session } = pushes
    if (frame.type === 'error') throw new Error(`an error on the socket of a device: ${text}`)
    if (frame.type === 'ack') this.#acknowledged(pushes, frame)
    else this.#observer.sent(habitsOf(session, { collections: collectionsOf(socket) }), frame)
  }

  #acknowledged({ session, requests }: Pushes, ack: Ack): void {
    const request = requests.get(ack.id)
    requests.delete(ack.id)
    if (request === undefined) throw new Error(`an ack of nothing: ${ack.id}`)
    const client = habitsOf(session, request)
    // The service has made the body, so it has the documented shape.
    if (ack.status === 200) this.#observer.answered(client, request, ack.body as SyncReply)
    else this.#observer.refused(client, request, codeIn(ack.body))
  }
}

interface Ack {
  readonly id: string
  readonly status: number
  readonly body: object
}

/** The pushes in flight on a socket, by id. */
interface Pushes {
  readonly session: Session
  readonly requests: Map<string, Request>
}

interface Decision {
  readonly choice: 'winner' | 'loser'
  readonly base: string | null
}

/** The habits of a client, for the checks: it reads and writes, with numbered batches on versions. */
export function habitsOf(
  { client, subject, collections }: Pick<Session, 'client' | 'subject' | 'collections'>,
  { collections: asks }: { readonly collections?: readonly string[] | undefined },
): Habits {
  return {
    id: client,
    subject,
    granted: collections,
    ...(asks && { asks }),
    pulls: true,
    reads: true,
    numbers: true,
    bases: 'version',
    lags: 0,
    keepsTombstones: false,
    tellsTime: true,
  }
}

/** The collections that a socket asks for; undefined for all. */
function collectionsOf({ url }: TabSocket): string[] | undefined {
  return new URL(url).searchParams.get('collections')?.split(',')
}

function refusalOf(fault: Fault): Reply {
  const problem = problemOf(fault)
  return { status: problem.status, body: problemDocument(problem, 'r') }
}

function codeIn(body: object): string {
  return 'code' in body ? String(body.code) : ''
}

function closingOf(problem: string): { readonly code: number; readonly reason: string } {
  const ending = endingOf(problem)
  if (ending === undefined) return { code: 1006, reason: '' }
  const [code, reason] = ENDINGS[ending]
  return { code, reason }
}
