import { DEFAULT_CONFIG } from '../../../worker/src/core/space/config.ts'
import type { Journal } from '../checks/journal.ts'
import { newcomer, type Seat } from '../clients/cast.ts'
import type { Host } from '../history/host.ts'
import type { Letter } from '../network/letters.ts'
import { type Ears, Lines } from '../network/lines.ts'
import type { Random } from '../values/random.ts'
import {
  type Answer,
  type ConflictReport,
  type Entry,
  POLICIES,
  type Policy,
  type Resolution,
} from '../values/wire.ts'
import type { Floor } from './floor.ts'
import type { Machine } from './machine.ts'
import { Server } from './server.ts'

/** Merges are the hardest to get right, so the policy is picked more often. */
const LIKELY = [...POLICIES, 'merge', 'merge'] as const

const DAY = 86_400_000

const COLLECTIONS = ['notes', 'tasks', 'default'] as const

/** Runs the object floor in this process, on Node's SQLite. */
export class NodeHost implements Host {
  readonly server: Server
  readonly policies = new Map<string, ReadonlySet<Policy>>()
  /** Conflicts resolved and versions replaced before this time may be dropped, ms. */
  horizon = 0
  isScarce = false
  readonly sockets = new Lines()
  /** The shortest retention that the space may have read, days. */
  #days = 30
  readonly #random: Random
  /** The probability that a request kills the process. */
  readonly #peril: number

  constructor(floor: Floor, random: Random, machine: Machine) {
    this.#random = random
    this.#peril = random.pick([0.01, 0.1])
    this.server = new Server(floor, random, machine)
    this.configure()
  }

  handle({ seat, request, live }: Letter, now: number): Promise<Answer> {
    return live ? this.sockets.push(seat, request) : this.server.handle(seat.session, request, now)
  }

  /** Opens a socket for a client from the position of its copy. */
  follow(seat: Seat, ears: Ears): void {
    const { habits, cursor } = seat.client
    const query = {
      cursor: cursor ?? '',
      ...(habits.asks !== undefined && { collections: [...habits.asks] }),
    }
    const opened = this.server.open(seat.session, query)
    if (!opened.ok) throw new Error(`no socket: ${opened.fault.code}`)
    this.sockets.take(seat, opened.value, ears)
  }

  proceed(): Promise<boolean> {
    return this.server.turns.open(this.#random)
  }

  async settle(): Promise<void> {
    await this.server.turns.settle()
    this.server.recover()
  }

  note(journal: Journal): Promise<void> {
    return this.server.note(journal)
  }

  resolve({ session }: Seat, resolution: Resolution, now: number): Promise<Answer> {
    return this.server.resolve(session, resolution, now)
  }

  history(key: string): Promise<readonly Entry[]> {
    return this.server.history(newcomer(this.#random, 'late').session, key)
  }

  threaten(): void {
    if (this.#random.chance(this.#peril)) this.server.light(this.#random.between(1, 6))
  }

  /** Changes the configuration, as the operator does. */
  configure(): void {
    const policies = Object.fromEntries(COLLECTIONS.map((name) => [name, this.#random.pick(LIKELY)]))
    const revision = (this.server.config?.revision ?? 0) + 1
    const historyDays = this.#random.between(1, 3)
    this.#days = Math.min(this.#days, historyDays)
    const tombstoneDays = this.#random.between(1, 2)
    const requestsPerMinute = { client: 1e6, credential: 1e6, space: 1e6 }
    this.server.config = {
      ...DEFAULT_CONFIG,
      revision,
      policies,
      historyDays,
      tombstoneDays,
      requestsPerMinute,
    }
    for (const name of COLLECTIONS) this.#note(name, policies[name] ?? 'lww')
  }

  /** Changes the number of entries that the space may hold. */
  limit(entries: number): void {
    this.isScarce = true
    const config = this.server.config ?? DEFAULT_CONFIG
    this.server.config = {
      ...config,
      revision: config.revision + 1,
      quota: { ...DEFAULT_CONFIG.quota, entries },
    }
  }

  wake(now: number): Promise<void> {
    this.horizon = Math.max(this.horizon, now - this.#days * DAY)
    return this.server.wake(now)
  }

  #note(collection: string, policy: Policy): void {
    this.policies.set(collection, new Set([...(this.policies.get(collection) ?? []), policy]))
  }

  conflicts(granted: readonly string[] | null): Promise<readonly ConflictReport[]> {
    return this.server.conflicts(granted)
  }
}
