import type { Resolved, Snapshot } from '../checks/final-checks.ts'
import { Journal } from '../checks/journal.ts'
import { Replies } from '../checks/replies.ts'
import type { Handled } from '../checks/reply-checks.ts'
import { castOf, clockOf, type Seat, START } from '../clients/cast.ts'
import { dropOf, isLive, nextOf, type Sent } from '../network/in-flight.ts'
import type { Heard, Letter, Return, Stand } from '../network/letters.ts'
import type { Random } from '../values/random.ts'
import { Verdicts, Violation } from '../values/violation.ts'
import { type Answer, type Resolution, seqOf } from '../values/wire.ts'
import { Answers } from './answers.ts'
import type { Figure, Host } from './host.ts'

/** The most rounds of all clients until the history is quiet. */
const MAX_ROUNDS = 200

/** More turns than any request takes. */
const MAX_TURNS = 5_000

/** When a history begins, and with whom. */
interface Beginning {
  readonly now?: number
  readonly cast?: (random: Random, narrow: boolean) => readonly Seat[]
}

/** Counts events. */
interface Counter {
  count(figure: Figure, by: number): void
}

/** A history while it runs: clients, the network, a server, and a clock that only the history advances. */
export class World<H extends Host> {
  readonly random: Random
  readonly host: H
  readonly journal = new Journal()
  readonly verdicts = new Verdicts()
  readonly figures = new Map<Figure, number>()
  readonly seats: readonly Seat[]
  readonly uplink: (Letter | Stand)[] = []
  readonly downlink: (Return | Heard)[] = []
  /** The probability that messages on sockets wait. */
  readonly slowness: number
  now: number
  readonly replies = new Replies(this.verdicts)
  /** The time at which it began, ms. */
  readonly began: number
  readonly #answers = new Answers(this)
  readonly snapshots: Snapshot[] = []
  /** The open conflicts that somebody has tried to close. */
  readonly asked = new Set<number>()
  /** The open conflicts that clients know of, with their keys. */
  readonly open = new Map<number, string>()
  readonly resolved: Resolved[] = []
  #failure: unknown

  constructor(random: Random, host: H, { now = START, cast = castOf }: Beginning = {}) {
    this.now = now
    this.began = now
    this.random = random
    this.host = host
    const narrow = random.chance(0.3)
    this.seats = cast(random, narrow)
    this.slowness = narrow ? 0.8 : 0
  }

  count(figure: Figure, by = 1): void {
    this.figures.set(figure, (this.figures.get(figure) ?? 0) + by)
  }

  /**
   * Lets a client send its next request, or retry the last one. A client that only pushes sends none without changes.
   */
  send(seat: Seat): void {
    const { habits, unanswered } = seat.client
    if (!habits.pulls && unanswered.length === 0) return
    const size = this.random.between(1, 5)
    const atomic = this.random.chance(0.08)
    const request = seat.client.request({ size, atomic, clock: clockOf(seat, this.now) })
    seat.attempt += 1
    seat.open = request
    seat.live = this.host.sockets.has(seat) && this.random.chance(0.5)
    this.#answers.noteSent(seat, request)
    this.uplink.push({ seat, attempt: seat.attempt, request, live: seat.live })
  }

  /** Delivers a letter to the server, which may be busy with other requests. */
  async deliver(letter: Letter | Stand): Promise<void> {
    if ('seen' in letter) {
      this.host.sockets.confirm(letter.seat, letter.seen)
    } else {
      this.count('requests')
      this.count('pushes', Number(letter.live))
      this.#carryOut(async () => this.#answered(letter, await this.host.handle(letter, this.now)))
    }
    await this.step()
  }

  /** Sends the server a client's resolution of a conflict. */
  async resolve(seat: Seat, resolution: Resolution): Promise<void> {
    this.asked.add(resolution.id)
    this.#carryOut(async () => {
      const answer = await this.host.resolve(seat, resolution, this.now)
      if (answer.kind !== 'resolved') return this.count(answer.kind === 'lost' ? 'lost' : 'refusals')
      this.count('resolutions')
      this.open.delete(resolution.id)
      this.resolved.push({
        ...resolution,
        by: seat.client.habits.id,
        version: answer.version,
        replayed: answer.replayed,
      })
    })
    await this.step()
  }

  /** Starts work beside the requests. */
  async start(work: () => Promise<void>): Promise<void> {
    this.#carryOut(work)
    await this.step()
  }

  #carryOut(work: () => Promise<void>): void {
    work().catch((failure: unknown) => {
      this.#failure = failure
    })
  }

  /** Lets the server continue one of its requests. */
  async proceed(): Promise<boolean> {
    const went = await this.host.proceed()
    await this.step()
    return went
  }

  /** Lets everything continue that can by itself, and records what was written. */
  async step(): Promise<void> {
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
      this.examine({ client: letter.seat.client.habits, request: letter.request, reply: answer.reply })
    this.downlink.push({ ...letter, answer })
  }

  /** Checks a reply. `counter`: where it is counted. */
  examine(handled: Handled, counter: Counter = this): void {
    const { request, reply } = handled
    const isFirst = Number(!reply.replayed)
    const merged = reply.results.filter(({ status }) => status === 'merged')
    counter.count('changes', isFirst * request.changes.length)
    counter.count('replays', Number(reply.replayed))
    counter.count('conflicts', isFirst * reply.conflicts.length)
    counter.count('resets', Number(reply.reset === true))
    counter.count('merges', isFirst * merged.length)
    for (const { id, key, resolution } of reply.conflicts) if (resolution === 'open') this.open.set(id, key)
    this.replies.take(handled)
  }

  /** Receives a frame for a client. */
  hear(heard: Heard): void {
    this.count('frames')
    this.replies.takeFrame({ client: heard.seat.client.habits, frame: heard.frame })
    this.downlink.push(heard)
  }

  /** Whether nothing arrives now, because all messages in flight are on slow sockets. */
  isStuck(link: readonly Sent[]): boolean {
    return link.every(isLive) && this.random.chance(this.slowness)
  }

  /** The next letter that reaches the server. */
  nextLetter(): Letter | Stand {
    return nextOf(this.uplink, this) as Letter | Stand
  }

  /** The next reply or frame that reaches a client. */
  nextArrival(): Return | Heard {
    return nextOf(this.downlink, this) as Return | Heard
  }

  /** Loses a message. A socket loses single messages never, only all of them by breaking. */
  lose(item: Letter | Stand | Return | Heard): void {
    this.count('lost')
    if (isLive(item)) this.cut(item.seat)
  }

  /** A client breaks its socket. */
  cut(seat: Seat): void {
    this.host.sockets.cut(seat)
    this.broken(seat)
  }

  /** Handles the broken socket of a client. */
  broken(seat: Seat): void {
    this.count('cuts')
    dropOf(this.uplink, seat)
    dropOf(this.downlink, seat)
    seat.client.unplug()
    if (seat.live) seat.open = null
  }

  /** Lets a client time out. On a socket a reply comes as long as the socket is open, so the client closes it. */
  giveUp(seat: Seat): void {
    if (seat.open !== null && seat.live) this.cut(seat)
    seat.open = null
  }

  /** Delivers a reply or frame to its client, which then confirms its position if it has a socket. */
  receive(arrival: Return | Heard): void {
    const { seat } = arrival
    const { client } = seat
    const before = client.cursor
    if ('frame' in arrival) client.follow(arrival.frame)
    else if (seat.attempt === arrival.attempt && seat.open !== null) this.#answers.take(arrival)
    if (client.caughtUp) this.snapshots.push(this.snapshotOf(seat))
    const mustSay = 'frame' in arrival || client.cursor !== before || arrival.live
    if (client.cursor === null || !mustSay || !this.host.sockets.has(seat)) return
    if (!('frame' in arrival)) client.settle()
    this.uplink.push({ seat, seen: client.cursor, live: true })
    if (seat.open === null && !client.caughtUp && this.random.chance(this.slowness)) this.send(seat)
  }

  /** The copy of a client as it is now. */
  snapshotOf({ client }: Seat): Snapshot {
    this.count('snapshots')
    return { client: client.habits, seq: seqOf(client.cursor ?? ''), copy: new Map(client.copy) }
  }

  /** Delivers everything in flight, and lets all clients sync until nothing changes. */
  async calm(): Promise<void> {
    await this.#flush()
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const before = this.journal.last
      for (const seat of this.seats) await this.exchange(seat)
      if (this.seats.every(isSettled) && this.journal.last === before) return
    }
    throw new Violation('IN1', `not quiet after ${MAX_ROUNDS} rounds`)
  }

  /** Lets followers pull where they were told to, until none has to. Then each has the latest state. */
  async obey(): Promise<void> {
    for (let round = 0; round < MAX_ROUNDS; round++) if (await this.heed()) return this.#expectUpToDate()
    throw new Violation('IN1', `who follows is not quiet after ${MAX_ROUNDS} rounds`)
  }

  /** Delivers everything, and lets followers pull where they were told to. True if none had to. */
  async heed(): Promise<boolean> {
    await this.#flush()
    const busy = this.host.sockets.followers.filter((seat) => !isSettled(seat))
    for (const seat of busy) await this.exchange(seat)
    return busy.length === 0
  }

  #expectUpToDate(): void {
    const { last } = this.journal
    for (const seat of this.host.sockets.followers) {
      this.snapshots.push({ ...this.snapshotOf(seat), seq: last })
    }
  }

  /** Sends one request of a client and delivers the reply, with nothing in between. */
  async exchange(seat: Seat): Promise<void> {
    this.now += 50
    await this.#flush()
    this.send(seat)
    await this.#flush()
  }

  /** Delivers everything in flight, and everything that follows from it. */
  async #flush(): Promise<void> {
    do {
      while (this.uplink.length > 0) await this.deliver(this.nextLetter())
      await this.#finish()
    } while (this.uplink.length > 0)
  }

  /** Lets the server finish all its work. */
  async drain(): Promise<void> {
    for (let turns = 0; await this.proceed(); turns++) {
      if (turns > MAX_TURNS) throw new Error('a request never ends')
    }
  }

  async #finish(): Promise<void> {
    await this.drain()
    while (this.downlink.length > 0) this.receive(this.nextArrival())
  }
}

function isSettled({ client, open }: Seat): boolean {
  return open === null && client.unanswered.length === 0 && (client.caughtUp || !client.habits.pulls)
}
