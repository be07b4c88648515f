import type { Json } from '../values/wire.ts'

/** One version as the log holds it: what stands there, and what it says it replaced or lost to. */
export interface Stored {
  readonly seq: number
  readonly previous: number
  readonly key: string
  readonly by: string
  /** The number of its batch; null where the client numbers none. */
  readonly batch: number | null
  /** When its batch arrived, ms. */
  readonly arrived: number
  /** Effective time, ms. */
  readonly at: number
  readonly deleted: boolean
  readonly value: Json | undefined
  /** Of a merge: the JSON pointers of what both sides changed. */
  readonly paths: readonly string[]
}

/** Where a key stands. */
export interface Tip {
  readonly key: string
  readonly seq: number
}

/** A conflict as it was first written down. */
export interface Dispute {
  readonly id: number
  readonly loser: number
  readonly open: 0 | 1
}

/** Where all keys stood after a transaction, and the last version that had been given out by then. */
export interface Stand {
  readonly last: number
  readonly tips: readonly Tip[]
}

/** What a space has written since the last time. */
export interface Rows {
  readonly versions: readonly Stored[]
  readonly stands: readonly Stand[]
  readonly disputes: readonly Dispute[]
}

/**
 * What a space wrote down, read from its rows while the history goes on: what is dropped later is still here. Who
 * decided what is not asked: a version stood if a head named it, or a version that stood replaced it.
 */
export class Journal {
  readonly versions = new Map<number, Stored>()
  /** The versions that stood, by key, ascending. */
  readonly stood = new Map<string, Stored[]>()
  /** The conflicts, by the version that lost. */
  readonly disputes = new Map<number, Dispute>()
  /** The versions that a conflict is named after: the change that caused it. */
  readonly causes = new Set<number>()
  readonly #tips = new Set<number>()
  #standing = new Map<string, number>()
  /** Deletions that were collected, and the last version that had been given out by then. */
  readonly #collected = new Map<number, number>()
  last = 0

  note({ versions, stands, disputes }: Rows): void {
    for (const stand of stands) this.#stand(stand)
    for (const dispute of disputes) {
      this.causes.add(dispute.id)
      if (!this.disputes.has(dispute.loser)) this.disputes.set(dispute.loser, dispute)
    }
    for (const version of versions) {
      this.versions.set(version.seq, version)
      this.last = Math.max(this.last, version.seq)
    }
  }

  #stand({ last, tips }: Stand): void {
    const standing = new Map(tips.map(({ key, seq }) => [key, seq]))
    for (const [key, seq] of this.#standing) if (!standing.has(key)) this.#collected.set(seq, last)
    for (const seq of standing.values()) this.#tips.add(seq)
    this.#standing = standing
  }

  /** Follows what was replaced backwards from every head that was ever seen. */
  close(): void {
    const chain = new Set<number>()
    for (const seq of this.#tips) {
      for (let at = seq; at !== 0 && !chain.has(at); at = this.versions.get(at)?.previous ?? 0) chain.add(at)
    }
    for (const seq of [...chain].sort((a, b) => a - b)) {
      const version = this.versions.get(seq)
      if (version !== undefined)
        this.stood.set(version.key, [...(this.stood.get(version.key) ?? []), version])
    }
  }

  /** What a version replaced: the one of its key that stood before, unless that was a deletion long forgotten. */
  before({ key, seq }: { readonly key: string; readonly seq: number }): Stored | undefined {
    const found = this.stood.get(key)?.findLast((version) => version.seq < seq)
    return found !== undefined && (this.#collected.get(found.seq) ?? seq) < seq ? undefined : found
  }

  hasStood({ key, seq }: { readonly key: string; readonly seq: number }): boolean {
    return this.stood.get(key)?.some((version) => version.seq === seq) ?? false
  }

  /** The versions of a key, newest first, back to where a deletion of it was forgotten. */
  chainOf(key: string): readonly Stored[] {
    const newestFirst = [...(this.stood.get(key) ?? [])].reverse()
    const forgotten = newestFirst.findIndex(({ seq }) => this.#collected.has(seq))
    return forgotten === -1 ? newestFirst : newestFirst.slice(0, forgotten)
  }

  /** The state as it was once a version had been given out: what is live, by key. */
  stateAt(seq: number): ReadonlyMap<string, Stored> {
    const state = new Map<string, Stored>()
    for (const [key, versions] of this.stood) {
      const last = versions.findLast((version) => version.seq <= seq)
      if (last !== undefined && !last.deleted) state.set(key, last)
    }
    return state
  }
}
