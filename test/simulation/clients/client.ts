import type { Change, Entry, Frame, Json, Reply, Request } from '../values/wire.ts'

/** The kind of client: the features of the protocol that it uses, and its grants. */
export interface Habits {
  readonly id: string
  readonly subject: string
  /** The collections of its token; null for all. */
  readonly granted: readonly string[] | null
  /** The collections it asks for. */
  readonly asks?: readonly string[]
  /** Whether it reads at all, or only pushes. */
  readonly pulls: boolean
  /** Whether its token lets it read. */
  readonly reads: boolean
  readonly numbers: boolean
  /** How it names the base of an edit: by version, by value, or not at all. */
  readonly bases: 'version' | 'value' | 'never'
  /** The probability that an edit is based on an old version, as in a form that was left open. */
  readonly lags: number
  /** Whether it remembers the versions of deletions. */
  readonly keepsTombstones: boolean
  readonly tellsTime: boolean
  readonly limit?: number
}

/** An entry as the client last received it. */
export interface Known {
  readonly value?: Json
  readonly deleted: boolean
  readonly version: string
}

/** The base that a change names; empty for a blind write. */
export type Base = Pick<Change, 'base' | 'baseValue' | 'baseDeleted'>

/** A batch in flight. */
interface Outgoing {
  readonly number: number
  readonly atomic: boolean
  readonly changes: readonly Change[]
}

/**
 * An offline-first client as an app developer would write it from docs/spec.md: a copy of the state, a queue of
 * edits, one request at a time, and the same batch again until it is answered. Versions and cursors are opaque.
 */
export class OfflineClient {
  readonly habits: Habits
  readonly copy = new Map<string, Known>()
  /** Every version of a key that it has seen. An edit may be based on an old one. */
  readonly seen = new Map<string, string[]>()
  cursor: string | null = null
  /** Whether the last page was the last one. */
  caughtUp = false
  /** On a socket, it has pulled and confirmed its position, and ignores the frames that were in flight before. */
  #lets = false
  /** The pull is not complete: results of its own may lie past the cursor, and a frame does not complete it. */
  #isPaging = false
  #queue: Change[] = []
  #out: Outgoing | null = null
  #last = 0
  /** The numbers of batches that were refused as a whole. A late duplicate may still have used such a number. */
  readonly #givenUp = new Set<number>()

  constructor(habits: Habits) {
    this.habits = habits
  }

  get unanswered(): readonly Change[] {
    return [...(this.#out?.changes ?? []), ...this.#queue]
  }

  get isAtomic(): boolean {
    return this.#out?.atomic ?? false
  }

  /** The value that the app shows for a key: pending edits over the copy. */
  visible(key: string): Json | undefined {
    const own = this.unanswered.findLast((change) => change.key === key)
    if (own !== undefined) return own.deleted ? undefined : own.value
    const known = this.copy.get(key)
    return known?.deleted ? undefined : known?.value
  }

  /** The base of an edit. All edits before a reply have the base of the first one. */
  baseOf(key: string): Base {
    const own = this.unanswered.find((change) => change.key === key && !isBlind(change))
    if (own !== undefined) return baseIn(own)
    const known = this.copy.get(key)
    if (this.habits.bases === 'never') return {}
    if (this.habits.bases === 'value')
      return known?.value === undefined || known.deleted ? { baseDeleted: true } : { baseValue: known.value }
    return {
      base: known === undefined || (known.deleted && !this.habits.keepsTombstones) ? null : known.version,
    }
  }

  edit(change: Change): void {
    this.#queue.push(change)
  }

  /** The next request carries the batch in flight, or a new one of up to `size` changes. */
  request(options: { readonly size: number; readonly atomic: boolean; readonly clock: number }): Request {
    const { habits } = this
    this.caughtUp = false
    if (this.#out === null && this.#queue.length > 0) {
      this.#last += 1
      this.#out = { number: this.#last, atomic: options.atomic, changes: this.#queue.splice(0, options.size) }
    }
    return {
      ...(habits.numbers && this.#out !== null && { batch: this.#out.number }),
      ...(habits.tellsTime && { clientTime: options.clock }),
      ...(habits.pulls && { cursor: this.cursor }),
      ...(habits.limit !== undefined && { limit: habits.limit }),
      ...(habits.asks !== undefined && { collections: habits.asks }),
      ...(this.#out?.atomic && { atomic: true as const }),
      changes: this.#out?.changes ?? [],
    }
  }

  /**
   * Applies the reply to the last request. `live`: the reply came over the socket, so no frame came in between. Over
   * HTTP a frame may have advanced the copy. Then the page does not start at the position of the copy, and the client
   * pulls again.
   */
  receive(request: Request, reply: Reply, live: boolean): void {
    if (request.changes.length > 0) this.#out = null
    if (!live && request.cursor !== undefined && request.cursor !== this.cursor) {
      this.caughtUp = false
      return
    }
    const verbatim = !reply.replayed && reply.reset !== true && request.cursor !== null
    if (verbatim) this.#takeResults(request.changes, reply)
    if (reply.cursor === undefined) return
    if (reply.reset) this.copy.clear()
    for (const entry of reply.changes) this.#take(entry)
    this.cursor = reply.cursor
    this.#isPaging = reply.more === true
    this.caughtUp = !this.#isPaging
  }

  /** Applies a frame that starts at the position of the copy. After any other frame the client has to pull. */
  follow(frame: Frame): void {
    if (frame.type === 'changes' && frame.cursor === this.cursor) return
    const fits = frame.type === 'changes' && frame.from === this.cursor
    if (fits) this.#takeFrame(frame)
    else if (frame.type === 'poke' || !this.#lets) this.caughtUp = false
  }

  #takeFrame({ changes, cursor }: Frame & { readonly type: 'changes' }): void {
    for (const entry of changes) this.#take(entry)
    this.cursor = cursor
    this.caughtUp = !this.#isPaging
    this.#lets = false
  }

  /** The client has pulled and confirms its position on the socket. */
  settle(): void {
    this.#lets = true
  }

  /** The socket is closed. */
  unplug(): void {
    this.#lets = false
  }

  /** After a 409 `atomic-failed`, the user is told and the batch is not retried. */
  rollBack(): void {
    if (this.#out === null) return
    this.#givenUp.add(this.#out.number)
    this.#last -= 1
    this.#out = null
  }

  /** After a 409 `batch-forgotten`, the batch took effect long ago, and the next page shows its results. */
  forget(): void {
    this.#out = null
  }

  /** After a 409 `batch-mismatch`, tells whether an abandoned batch explains it. Then the next number is free. */
  renumber(): boolean {
    if (this.#out === null || !this.#givenUp.has(this.#out.number)) return false
    this.#last += 1
    this.#out = { ...this.#out, number: this.#last }
    return true
  }

  /** Applies the writes of the request itself. The page holds everything else. */
  #takeResults(changes: readonly Change[], reply: Reply): void {
    for (const [index, { key, status, version, value }] of reply.results.entries()) {
      if (version === undefined) continue
      if (status === 'applied') this.#know(key, { ...contentOf(changes[index]), version })
      if (status === 'merged' && value !== undefined) this.#know(key, { value, deleted: false, version })
      if (status === 'superseded' && !this.habits.pulls) this.#takeWinner(key, reply)
    }
  }

  /** A client that does not pull sees the winner only here, if its token lets it read. */
  #takeWinner(key: string, { conflicts }: Reply): void {
    const winner = conflicts.findLast((conflict) => conflict.key === key)?.winner
    if (winner?.version === undefined || winner.omitted) return
    this.#know(key, { ...contentOf(winner), version: winner.version })
  }

  #take(entry: Entry): void {
    this.#know(entry.key, { ...contentOf(entry), version: entry.version })
  }

  #know(key: string, known: Known): void {
    this.copy.set(key, known)
    this.seen.set(key, [...(this.seen.get(key) ?? []), known.version])
  }
}

function contentOf(
  of: { readonly value?: Json; readonly deleted?: boolean } | undefined,
): Omit<Known, 'version'> {
  return { ...(of?.value !== undefined && { value: of.value }), deleted: of?.deleted === true }
}

export function isBlind({ base, baseValue, baseDeleted }: Base): boolean {
  return base === undefined && baseValue === undefined && baseDeleted === undefined
}

function baseIn({ base, baseValue, baseDeleted }: Base): Base {
  if (base !== undefined) return { base }
  return baseValue === undefined ? { ...(baseDeleted && { baseDeleted }) } : { baseValue }
}
