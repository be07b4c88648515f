import type { Change, Entry, Frame, Json, Reply, Request } from '../values/wire.ts'

/** What sort of client it is: what it knows of the protocol, and what it is granted. */
export interface Habits {
  readonly id: string
  readonly subject: string
  /** The collections of its token; null is all. */
  readonly granted: readonly string[] | null
  /** The collections it asks for. */
  readonly asks?: readonly string[]
  /** Whether it reads at all, or only pushes. */
  readonly pulls: boolean
  /** Whether its token lets it read. */
  readonly reads: boolean
  readonly numbers: boolean
  /** How it says what it based an edit on: by its version, by its value, or not at all. */
  readonly bases: 'version' | 'value' | 'never'
  /** How often an edit is based on what it saw long ago, in a form that stayed open. */
  readonly lags: number
  /** Whether it remembers the versions of deletions. */
  readonly keepsTombstones: boolean
  readonly tellsTime: boolean
  readonly limit?: number
}

/** An entry as the client last heard of it. */
export interface Known {
  readonly value?: Json
  readonly deleted: boolean
  readonly version: string
}

/** What a change says it is based on; nothing for a blind write. */
export type Base = Pick<Change, 'base' | 'baseValue' | 'baseDeleted'>

/** A batch that waits for its answer. */
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
  /** Every version it ever saw of a key: an edit may be based on one of long ago. */
  readonly seen = new Map<string, string[]>()
  cursor: string | null = null
  /** Whether the last page was the last one. */
  caughtUp = false
  /** On a socket: it has pulled and said where it stands, and lets pass the frames that were under way before that. */
  #lets = false
  /** The last page was not the last one: results of its own may lie past the cursor, and no frame ends that. */
  #isPaging = false
  #queue: Change[] = []
  #out: Outgoing | null = null
  #last = 0
  /** Numbers under which a batch was refused as a whole: a late repetition of it may still have used one up. */
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

  /** What the app shows for a key: its own edits over the copy. */
  visible(key: string): Json | undefined {
    const own = this.unanswered.findLast((change) => change.key === key)
    if (own !== undefined) return own.deleted ? undefined : own.value
    const known = this.copy.get(key)
    return known?.deleted ? undefined : known?.value
  }

  /** What an edit of a key is based on: for all edits before an answer, what the first of them was based on. */
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

  /** The next request: the batch that still waits for its answer, or a new one of up to `size` changes. */
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
   * Takes in the answer to the request that was sent last. `live`: over its socket, on which no frame comes in between.
   * Over HTTP a frame may have led the copy on meanwhile: then the page does not begin where it stands, and it pulls anew.
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

  /** Takes in what comes on a socket: a frame that begins where the copy stands. At any other it has to pull. */
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

  /** It has pulled and says so on its socket. */
  settle(): void {
    this.#lets = true
  }

  /** Its socket is gone. */
  unplug(): void {
    this.#lets = false
  }

  /** After a 409 `atomic-failed`: the user hears of it, and nothing of the batch is tried again. */
  rollBack(): void {
    if (this.#out === null) return
    this.#givenUp.add(this.#out.number)
    this.#last -= 1
    this.#out = null
  }

  /** After a 409 `batch-forgotten`: the batch took effect long ago, and the next page shows what became of it. */
  forget(): void {
    this.#out = null
  }

  /** After a 409 `batch-mismatch`: whether a batch that was given up explains it. Then the next number is free. */
  renumber(): boolean {
    if (this.#out === null || !this.#givenUp.has(this.#out.number)) return false
    this.#last += 1
    this.#out = { ...this.#out, number: this.#last }
    return true
  }

  /** What is not in a page, because this very request wrote it: the page holds everything else. */
  #takeResults(changes: readonly Change[], reply: Reply): void {
    for (const [index, { key, status, version, value }] of reply.results.entries()) {
      if (version === undefined) continue
      if (status === 'applied') this.#know(key, { ...contentOf(changes[index]), version })
      if (status === 'merged' && value !== undefined) this.#know(key, { value, deleted: false, version })
      if (status === 'superseded' && !this.habits.pulls) this.#takeWinner(key, reply)
    }
  }

  /** Who does not pull hears of the winner here only, if its token lets it read at all. */
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
