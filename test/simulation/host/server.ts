import { DatabaseSync } from 'node:sqlite'
import type { Session } from '../../../worker/src/core/access/session.ts'
import type { Fault } from '../../../worker/src/core/fault.ts'
import { defectLine } from '../../../worker/src/core/log-line.ts'
import type { Config } from '../../../worker/src/core/space/config.ts'
import type { Result } from '../../../worker/src/core/values/result.ts'
import type { Live } from '../../../worker/src/objects/live/live.ts'
import type { Space } from '../../../worker/src/objects/space/space.ts'
import type { Journal } from '../checks/journal.ts'
import type { ClientEnd } from '../network/lines.ts'
import type { Random } from '../values/random.ts'
import { Violation } from '../values/violation.ts'
import type { Answer, ConflictReport, Entry, Reply, Request, Resolution } from '../values/wire.ts'
import { DiskFull, EXPECTED, excuse, Fuse, Killed } from './failures.ts'
import type { Floor } from './floor.ts'
import { gatedKeys } from './gated-keys.ts'
import type { Machine } from './machine.ts'
import { Pages } from './pages.ts'
import type { SocketEnd } from './platform.ts'
import { Records } from './records.ts'
import { type AsyncStorage, storageOn } from './sql.ts'
import { Switchboard } from './switchboard.ts'
import { Turns } from './turns.ts'

/** One life of the process. Only the database outlives it. */
interface Life {
  alive: boolean
  readonly space: Space
  readonly live: Live
  readonly storage: DurableObjectStorage
}

/** A space with a process that can be killed at any write, and with its database. */
export class Server {
  readonly db = new DatabaseSync(':memory:')
  readonly turns = new Turns()
  readonly floor: Floor
  readonly #machine: Machine
  readonly #sockets = new Switchboard()
  readonly #records: Records
  readonly #pages: Pages
  #ring = 1
  #fuse: Fuse | null = null
  #life: Life
  #upkeeps = 0
  /** The configuration in KV, or null. The space re-reads it from time to time. */
  config: Config | null = null
  /** The time of the alarm, ms. */
  alarm: number | null = null
  /** Counts how often the process was killed. */
  kills = 0
  /** The time of the object's own clock, ms. */
  clock: () => number = () => 0

  constructor(floor: Floor, random: Random, machine: Machine) {
    this.floor = floor
    this.#records = new Records(this.db, floor)
    this.#machine = machine
    this.#pages = new Pages(this, random)
    floor.platform.later = (work) => void this.#later(work)
    this.#life = this.#start()
  }

  /** Runs the work of a timer in its turn, which may be late. */
  async #later(work: () => Promise<void>): Promise<void> {
    for (let turns = this.#machine.lateness(); turns >= 0; turns--) await this.turns.after(Promise.resolve())
    return work()
  }

  get space(): Space {
    return this.#life.space
  }

  /** Handles one request. Others may be in flight. */
  async handle(session: Session, request: Request, now: number): Promise<Answer> {
    const result = await this.serve((space) =>
      this.floor.sync(space, session, { text: JSON.stringify(request), now }),
    )
    if (result === null) return { kind: 'lost' }
    return result.ok
      ? { kind: 'reply', reply: JSON.parse(result.value.text) as Reply }
      : { kind: 'refused', code: result.fault.code }
  }

  /** Does the work of a request in the process that lives now. Null if the process, or its storage, fails first. */
  async serve<T>(work: (space: Space) => Promise<Result<T, Fault>>): Promise<Result<T, Fault> | null> {
    const life = this.#life
    try {
      const result = await work(life.space)
      if (!life.alive) return null
      life.live.changed()
      return result
    } catch (cause) {
      excuse(cause, life)
      return null
    }
  }

  /** Kills the process after this many writes and commits. */
  light(writes: number): void {
    this.#fuse = new Fuse(this.db, writes)
    if (this.#upkeeps > 0) this.#fuse.allowParts()
  }

  /** Kills the process at any moment, and starts another one. */
  restart(): void {
    this.#sockets.breakAll()
    this.#replace()
    this.kills += 1
  }

  /** Lets the object hibernate. The next event restarts it with the sockets that it had. False if it has work. */
  hibernate(): boolean {
    if (!this.turns.isIdle || this.#upkeeps > 0) return false
    this.#replace()
    return true
  }

  #replace(): void {
    this.#life.alive = false
    this.#fuse = null
    this.#life = this.#start()
  }

  /** The client's end of a socket that follows the space from a cursor, or from now on. */
  open(
    session: Session,
    query: { readonly cursor?: string; readonly collections?: string[] },
  ): Result<ClientEnd, Fault> {
    return this.#life.live.open({ session, query })
  }

  /**
   * Starts another process if the fuse has killed this one. The dead one must have stored all of a batch or nothing. A
   * living one must know which versions are current.
   */
  recover(): void {
    const defects = this.floor.platform.defects.splice(0)
    const defect = defects.find((line) => !EXPECTED.includes(JSON.parse(line).name))
    if (defect !== undefined) throw new Error(defect)
    if (this.#life.alive) {
      this.#records.checkKnown(this.#life.space)
      return
    }
    const leftWhole = this.#fuse?.leftWhole ?? true
    if (!leftWhole) throw new Violation('IN10', 'a process that was killed left half a batch behind')
    this.restart()
  }

  /** Rotates the master key. The older generations stay live. */
  rotate(): void {
    this.#ring += 1
    this.restart()
  }

  get isAtUpkeep(): boolean {
    return this.#upkeeps > 0
  }

  /** Runs the alarm of the object, never twice at a time. If the process dies, the alarm fires again. */
  async wake(now: number): Promise<void> {
    const life = this.#life
    this.alarm = null
    this.#upkeeps += 1
    this.#fuse?.allowParts()
    try {
      life.space.alarm.forget()
      await this.floor.upkeep(life.space, now)
    } catch (cause) {
      excuse(cause, life)
      this.alarm ??= now
    } finally {
      if (!life.alive) this.alarm ??= now
      this.#upkeeps -= 1
    }
  }

  /** Records the rows that were written since the last call. */
  note(journal: Journal): Promise<void> {
    return this.#records.note(journal, ringOf(this.#ring))
  }

  /** Reads the conflicts that some collections grant. */
  conflicts(granted: readonly string[] | null): Promise<readonly ConflictReport[]> {
    return this.#pages.conflicts(granted)
  }

  /** The versions of a key, newest first. */
  history(session: Session, key: string): Promise<readonly Entry[]> {
    return this.#pages.history(session, key)
  }

  /** Lets a client close an open conflict. */
  async resolve(session: Session, { id, ...request }: Resolution, now: number): Promise<Answer> {
    const result = await this.serve((space) =>
      this.floor.resolveConflict(space, session, { id, request, now }),
    )
    if (result === null) return { kind: 'lost' }
    return result.ok
      ? { kind: 'resolved', ...JSON.parse(result.value) }
      : { kind: 'refused', code: result.fault.code }
  }

  /** Erases the space and founds it again with another epoch. False if the process died before it could reply. */
  async erase(epoch: string, now: number): Promise<boolean> {
    const life = this.#life
    this.#machine.isSound = true
    try {
      await this.floor.eraseSpace(life.storage, life.space, { epoch, now, space: 'space' })
      if (life.alive) life.live.close()
    } catch (cause) {
      if (life.alive) throw cause
    }
    return life.alive
  }

  #start(): Life {
    const watch = {
      statement: (writes: boolean) => {
        if (!life.alive) throw new Killed()
        if (writes) this.#burn()
      },
      committing: () => {
        // The keys of a space are stored once, before its first batch.
        if (life.alive && life.space?.state.seq > 0 && this.#machine.fails()) throw new DiskFull()
      },
      committed: () => {
        this.#records.committed()
        this.#fuse?.committed()
        this.#burn()
      },
    }
    const life = { alive: true } as { -readonly [F in keyof Life]: Life[F] }
    const storage = storageOn(this.db, watch, this.#asyncStorage(life))
    life.storage = storage
    this.floor.migrate(storage, 'e')
    const sockets = this.#sockets.contextOf(life, (socket, text) => this.#receive(socket, text))
    // A space uses no more of the platform than this.
    const ctx = { id: { toString: () => 'space' }, storage, ...sockets } as unknown as DurableObjectState
    const env = this.#environment()
    const space = this.floor.openSpace(ctx, env)
    life.space = Object.assign(space, gatedKeys(space, this.turns))
    life.live = this.floor.liveOf({
      ...{ ctx, env, space, clock: () => this.clock(), newId: () => 'id' },
      observer: {
        synced() {},
        refused() {},
        failed: (thrown) => this.floor.platform.defects.push(defectLine(env, 'id', thrown)),
      },
    })
    return life
  }

  #environment(): Env {
    return {
      MASTER_KEY: ringOf(this.#ring),
      ENTRY_NAMES: 'keyed',
      CHRONICLE_KV: { get: () => this.turns.after(Promise.resolve(this.config)) },
      SYNC_LIMIT: { limit: () => this.turns.after(Promise.resolve({ success: true })) },
    } as unknown as Env
  }

  #receive(socket: SocketEnd, text: string): void {
    const life = this.#life
    life.live.receive(socket as unknown as WebSocket, text).catch((thrown: unknown) => {
      if (life.alive) this.floor.platform.defects.push(JSON.stringify({ error: String(thrown) }))
    })
  }

  #asyncStorage(life: Life): AsyncStorage {
    return {
      getAlarm: () => this.turns.after(Promise.resolve(this.alarm)),
      setAlarm: async (at) => {
        if (life.alive) this.alarm = at
      },
      deleteAlarm: async () => {
        if (life.alive) this.alarm = null
      },
      sync: () => this.turns.after(Promise.resolve()),
    }
  }

  #burn(): void {
    if (this.#fuse === null || !this.#fuse.burnsOut()) return
    this.#life.alive = false
    throw new Killed()
  }
}

/** The live generations of the master key, the newest first. */
export function ringOf(newest: number): string {
  const generations = Array.from({ length: newest }, (_, index) => newest - index)
  return generations
    .map((generation) => `${generation}:${btoa(String(generation % 10).repeat(32))}`)
    .join(' ')
}
