import { DAY_MS } from '../../worker/src/core/limits.ts'
import { castOf, clockOf, KEYS, newcomer, type Seat, START, seatOf } from './cast.ts'
import type { Account, Merges } from './decision-checks.ts'
import { checkHistory, type Resolved, type Snapshot } from './final-checks.ts'
import type { Figure, Heard, Host, Letter, Return } from './host.ts'
import { Journal } from './journal.ts'
import type { Random } from './random.ts'
import { checkFrame, checkReply, type Handled, Sightings } from './reply-checks.ts'
import { Verdicts, Violation } from './violation.ts'
import {
  type Answer,
  type ConflictReport,
  type Request,
  type Resolution,
  sameJson,
  seqOf,
  textOf,
} from './wire.ts'

/** What quiet needs at most, in rounds of all clients. */
const MAX_ROUNDS = 200

/** More turns than any request takes. */
const MAX_TURNS = 5_000

/** A history while it is made: clients, the network between, a server, and a clock that only goes on here. */
export class World<H extends Host> {
  readonly random: Random
  readonly host: H
  readonly journal = new Journal()
  readonly verdicts = new Verdicts()
  readonly figures = new Map<Figure, number>()
  readonly seats: readonly Seat[]
  readonly uplink: Letter[] = []
  readonly downlink: (Return | Heard)[] = []
  now: number
  readonly #handled: Handled[] = []
  readonly #results = new Map<string, string>()
  readonly #decided = new Set<string>()
  /** When each numbered batch was sent first, ms. */
  readonly #firstSent = new Map<string, number>()
  readonly #snapshots: Snapshot[] = []
  /** The open conflicts that somebody has tried to close. */
  readonly asked = new Set<number>()
  /** The open conflicts that clients have heard of, and their keys. */
  readonly open = new Map<number, string>()
  readonly #resolved: Resolved[] = []
  readonly #sightings = new Sightings(this.verdicts)
  #failure: unknown

  constructor(random: Random, host: H, now = START) {
    this.now = now
    this.random = random
    this.host = host
    this.seats = castOf(random)
  }

  count(figure: Figure, by = 1): void {
    this.figures.set(figure, (this.figures.get(figure) ?? 0) + by)
  }

  /** Lets a client send its next request, or the last one again; who only pushes has nothing to ask. */
  send(seat: Seat): void {
    const { habits, unanswered } = seat.client
    if (!habits.pulls && unanswered.length === 0) return
    const size = this.random.between(1, 5)
    const atomic = this.random.chance(0.08)
    const request = seat.client.request({ size, atomic, clock: clockOf(seat, this.now) })
    seat.attempt += 1
    seat.open = request
    const name = nameOf(seat.client.habits, request)
    if (!this.#firstSent.has(name)) this.#firstSent.set(name, this.now)
    this.uplink.push({ seat, attempt: seat.attempt, request })
  }

  /** Hands a letter to the server, which may be busy with others. */
  async deliver(letter: Letter): Promise<void> {
    this.count('requests')
    this.#carryOut(async () =>
      this.#answered(letter, await this.host.handle(letter.seat, letter.request, this.now)),
    )
    await this.#step()
  }

  /** Hands the server a client's decision of a conflict. */
  async resolve(seat: Seat, resolution: Resolution): Promise<void> {
    this.asked.add(resolution.id)
    this.#carryOut(async () => {
      const answer = await this.host.resolve(seat, resolution, this.now)
      if (answer.kind !== 'resolved') return this.count(answer.kind === 'lost' ? 'lost' : 'refusals')
      this.count('resolutions')
      this.open.delete(resolution.id)
      this.#resolved.push({
        ...resolution,
        by: seat.client.habits.id,
        version: answer.version,
        replayed: answer.replayed,
      })
    })
    await this.#step()
  }

  /** Lets something go on beside the requests. */
  async start(work: () => Promise<void>): Promise<void> {
    this.#carryOut(work)
    await this.#step()
  }

  #carryOut(work: () => Promise<void>): void {
    work().catch((failure: unknown) => {
      this.#failure = failure
    })
  }

  /** Lets the server go on with one of its requests. */
  async proceed(): Promise<boolean> {
    const went = await this.host.proceed()
    await this.#step()
    return went
  }

  async #step(): Promise<void> {
    await this.host.settle()
    if (this.#failure !== undefined) throw this.#failure
    await this.host.note(this.journal)
  }

  #answered(letter: Letter, answer: Answer): void {
    if (answer.kind === 'lost') {
      this.count('lost')
      return
    }
    if (answer.kind === 'refused') this.count('refusals')
    if (answer.kind === 'reply')
      this.#examine({ client: letter.seat.client.habits, request: letter.request, reply: answer.reply })
    this.downlink.push({ ...letter, answer })
  }

  #examine(handled: Handled): void {
    const { client, request, reply } = handled
    this.count('changes', reply.replayed ? 0 : request.changes.length)
    this.count('replays', Number(reply.replayed))
    this.count('conflicts', reply.replayed ? 0 : reply.conflicts.length)
    this.count('resets', Number(reply.reset === true))
    this.count(
      'merges',
      reply.replayed ? 0 : reply.results.filter(({ status }) => status === 'merged').length,
    )
    for (const { id, key, resolution } of reply.conflicts) if (resolution === 'open') this.open.set(id, key)
    this.#handled.push(handled)
    checkReply(this.verdicts, handled)
    this.#sightings.noteReply(handled)
    if (request.batch !== undefined) this.#checkRepetition(nameOf(client, request), handled)
  }

  /** A batch is decided once; whatever is said of it, and in whatever order that arrives, is the same. */
  #checkRepetition(name: string, { reply }: Handled): void {
    // What a merge made may be past its retention by now; that it was right is checked against the log.
    const text = reply.results.map(({ value: _, ...result }) => textOf(result)).join()
    const before = this.#results.get(name) ?? text
    const twice = !reply.replayed && this.#decided.has(name)
    this.verdicts.expect(
      before === text && !twice,
      'IN4',
      () => `batch ${name} was ${before} and then ${text}`,
    )
    this.#results.set(name, text)
    if (!reply.replayed) this.#decided.add(name)
  }

  /** A frame is on its way to a client. */
  hear(heard: Heard): void {
    this.count('frames')
    checkFrame(this.verdicts, heard)
    this.#sightings.noteFrame(heard.frame)
    this.downlink.push(heard)
  }

  /** What arrives next: anything that is under way, but what comes on a socket comes in its order. */
  nextArrival(): Return | Heard {
    const { downlink } = this
    const picked = this.random.between(0, downlink.length - 1)
    const seat = downlink[picked]?.seat
    const ordered = seat !== undefined && this.host.sockets?.has(seat)
    const index = ordered ? downlink.findIndex((arrival) => arrival.seat === seat) : picked
    return downlink.splice(index, 1)[0] as Return | Heard
  }

  /** Something does not arrive. A socket loses nothing, unless all that is under way on it. */
  lose(seat: Seat): void {
    this.count('lost')
    if (this.host.sockets?.has(seat)) this.cut(seat)
  }

  /** The socket of a client breaks. */
  cut(seat: Seat): void {
    this.count('cuts')
    this.host.sockets?.cut(seat)
    dropOf(this.uplink, seat)
    dropOf(this.downlink, seat)
    seat.open = null
  }

  /** Hands its client what arrives; who has a socket then says where its copy stands. */
  receive(arrival: Return | Heard): void {
    const { seat } = arrival
    if ('frame' in arrival) seat.client.follow(arrival.frame)
    else if (seat.attempt === arrival.attempt && seat.open !== null) this.#takeAnswer(arrival)
    if (seat.client.caughtUp) this.#snapshots.push(this.#snapshotOf(seat))
    this.host.sockets?.confirm(seat)
  }

  #takeAnswer({ seat, request, answer }: Return): void {
    seat.open = null
    if (answer.kind === 'reply') seat.client.receive(request, answer.reply)
    if (answer.kind === 'refused') this.#refuse(seat, request, answer.code)
  }

  #refuse(seat: Seat, request: Request, code: string): void {
    const { client } = seat
    const rolledBack = code === 'atomic-failed' && request.atomic === true
    if (rolledBack) {
      client.rollBack()
      return
    }
    // What became of a batch is kept for a day at least, the shortest time that an operator of the histories configures.
    const isOld = this.now - (this.#firstSent.get(nameOf(client.habits, request)) ?? this.now) >= DAY_MS
    if (code === 'batch-forgotten' && isOld) {
      this.count('forgotten')
      client.forget()
      return
    }
    const explained = code === 'batch-mismatch' && client.renumber()
    const invariant = code.startsWith('batch') ? 'IN4' : 'IN7'
    this.verdicts.expect(explained, invariant, () => `${client.habits.id} was refused: ${code}`)
  }

  #snapshotOf({ client }: Seat): Snapshot {
    this.count('snapshots')
    return { client: client.habits, seq: seqOf(client.cursor ?? ''), copy: new Map(client.copy) }
  }

  /** Everything that is still under way arrives; then all clients sync until nothing moves. */
  async calm(): Promise<void> {
    while (this.uplink.length > 0) await this.deliver(this.random.take(this.uplink))
    await this.#finish()
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const before = this.journal.last
      for (const seat of this.seats) await this.exchange(seat)
      if (this.seats.every(isSettled) && this.journal.last === before) return
    }
    throw new Violation('IN1', `not quiet after ${MAX_ROUNDS} rounds`)
  }

  /** One request of a client and its answer, with nobody in between. */
  async exchange(seat: Seat): Promise<void> {
    this.now += 50
    this.send(seat)
    while (this.uplink.length > 0) await this.deliver(this.random.take(this.uplink))
    await this.#finish()
  }

  /** Whatever the server is at comes to its end. */
  async drain(): Promise<void> {
    for (let turns = 0; await this.proceed(); turns++) {
      if (turns > MAX_TURNS) throw new Error('a request never ends')
    }
  }

  async #finish(): Promise<void> {
    await this.drain()
    while (this.downlink.length > 0) this.receive(this.nextArrival())
  }

  /** Checks the whole history. */
  async close(): Promise<void> {
    const readers = [newcomer(this.random, 'late'), ...this.#limitedReaders()]
    for (const seat of readers) await this.#readAll(seat)
    this.journal.close()
    const conflicts = await this.host.conflicts(null)
    const granted = ['notes']
    const pulling = [...this.seats.filter(({ client }) => client.habits.pulls), ...readers]
    checkHistory(this.#account(conflicts), {
      handled: this.#handled,
      snapshots: this.#snapshots,
      final: pulling.map((seat) => this.#snapshotOf(seat)),
      conflicts,
      limited: { granted, conflicts: await this.host.conflicts(granted) },
      histories: await Promise.all(KEYS.map(async (key) => [key, await this.host.history(key)] as const)),
      resolved: this.#resolved,
    })
  }

  async #readAll(seat: Seat): Promise<void> {
    for (let page = 0; page < MAX_ROUNDS; page++) {
      await this.exchange(seat)
      if (seat.client.caughtUp) return
    }
    throw new Violation('IN1', `${seat.client.habits.id} never comes to the end of the feed`)
  }

  #account(conflicts: readonly ConflictReport[]): Account {
    const { verdicts, journal } = this
    const listed = new Map(conflicts.map((conflict) => [conflict.id, conflict]))
    const { horizon, policies } = this.host
    return { verdicts, journal, listed, horizon, policies, asked: this.asked, merges: this.#merges() }
  }

  #merges(): Merges {
    const { versions } = this.journal
    const merges = { sent: new Set<number>(), made: new Set<number>() }
    for (const { client, request, reply } of this.#handled) {
      for (const [index, { status, version }] of reply.results.entries()) {
        const merged = status === 'merged' ? versions.get(seqOf(version ?? '')) : undefined
        // One that changed nothing names what stood, whoever wrote that.
        if (merged?.by !== client.id) continue
        const sent = [merged, versions.get(merged.previous)].find(
          (stored) => stored?.by === client.id && sameJson(stored.value, request.changes[index]?.value),
        )
        if (sent !== undefined) merges[sent === merged ? 'sent' : 'made'].add(merged.seq)
      }
    }
    return merges
  }

  #limitedReaders(): readonly Seat[] {
    const { client } = newcomer(this.random, 'narrow')
    return [seatOf({ ...client.habits, granted: ['tasks'] }, this.random)]
  }
}

function isSettled({ client, open }: Seat): boolean {
  return open === null && client.unanswered.length === 0 && (client.caughtUp || !client.habits.pulls)
}

function dropOf<T extends { readonly seat: Seat }>(link: T[], seat: Seat): void {
  link.splice(0, link.length, ...link.filter((item) => item.seat !== seat))
}

function nameOf({ id }: { readonly id: string }, { batch }: Request): string {
  return `${id} ${batch}`
}
