import type { Json } from '../values/wire.ts'

/** One version as the log holds it, with the version that it replaced or lost to. */
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
  /** The JSON pointers of the fields that both sides of a merge changed. */
  readonly paths: readonly string[]
}

/** The current version of a key. */
export interface Tip {
  readonly key: string
  readonly seq: number
}

/** A conflict as it was first stored. */
export interface Dispute {
  readonly id: number
  readonly loser: number
  readonly open: 0 | 1
}

/** The current versions of all keys after a transaction, and the last sequence number given out so far. */
export interface Stand {
  readonly last: number
  readonly tips: readonly Tip[]
}

/** The rows that a space has written since the last reading. */
export interface Rows {
  readonly versions: readonly Stored[]
  readonly stands: readonly Stand[]
  readonly disputes: readonly Dispute[]
}

/**
 * Everything that a space wrote, read from its rows while the history runs, so that rows dropped later are still
 * here. The journal does not judge decisions: a version was current if an entry row named it, or if a version that was
 * current replaced it.
 */
export class Journal {
  readonly versions = new Map<number, Stored>()
  /** The versions that were current, by key, ascending. */
  readonly stood = new Map<string, Stored[]>()
  /** The conflicts, by losing version. */
  readonly disputes = new Map<number, Dispute>()
  /** The versions whose sequence numbers are ids of conflicts: each is the change that caused the conflict. */
  readonly causes = new Set<number>()
  readonly #tips = new Set<number>()
  #standing = new Map<string, number>()
  /** Deletions that were collected, each with the last sequence number given out by then. */
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

  /** Walks back from every current version that was ever seen, to the versions it replaced. */
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

  /** The version of the key that this one replaced, unless that was a deletion that the space has dropped. */
  before({ key, seq }: { readonly key: string; readonly seq: number }): Stored | undefined {
    const found = this.stood.get(key)?.findLast((version) => version.seq < seq)
    return found !== undefined && (this.#collected.get(found.seq) ?? seq) < seq ? undefined : found
  }

  hasStood({ key, seq }: { readonly key: string; readonly seq: number }): boolean {
    return this.stood.get(key)?.some((version) => version.seq === seq) ?? false
  }

  /** The versions of a key, newest first, back to a deletion that the space has dropped. */
  chainOf(key: string): readonly Stored[] {
    const newestFirst = [...(this.stood.get(key) ?? [])].reverse()
    const forgotten = newestFirst.findIndex(({ seq }) => this.#collected.has(seq))
    return forgotten === -1 ? newestFirst : newestFirst.slice(0, forgotten)
  }

  /** The live versions, by key, at the moment a sequence number was given out. */
  stateAt(seq: number): ReadonlyMap<string, Stored> {
    const state = new Map<string, Stored>()
    for (const [key, versions] of this.stood) {
      const last = versions.findLast((version) => version.seq <= seq)
      if (last !== undefined && !last.deleted) state.set(key, last)
    }
    return state
  }
}
