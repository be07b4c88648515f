/** The failures that a history causes: a process that is killed at a write, and a disk that is full. */
import type { DatabaseSync } from 'node:sqlite'
import { dump } from './sql.ts'

/** Thrown by storage in a process that has been killed. */
export class Killed extends Error {
  override readonly name = 'Killed'
}

/** Thrown by storage that cannot commit. The process lives on, and nothing of the transaction is stored. */
export class DiskFull extends Error {
  override readonly name = 'DiskFull'
}

/** Names of the errors that a history causes. */
export const EXPECTED: readonly string[] = ['Killed', 'DiskFull']

/** Lets a request be lost by an error that the history causes. */
export function excuse(cause: unknown, { alive }: { readonly alive: boolean }): void {
  if (alive && !(cause instanceof DiskFull)) throw cause
}

/** A fuse counts writes and commits, and kills the process at the last one: before a write, or after a commit. */
export class Fuse {
  readonly #db: DatabaseSync
  #left: number
  /** The content of the database after the last commit. Null during upkeep, which commits step by step. */
  #durable: string | null

  constructor(db: DatabaseSync, writes: number) {
    this.#db = db
    this.#left = writes
    this.#durable = dump(db)
  }

  /** Counts a write or a commit. True if the process dies at this one. */
  burnsOut(): boolean {
    this.#left -= 1
    return this.#left <= 0
  }

  /** Remembers what a commit has stored. */
  committed(): void {
    if (this.#durable !== null) this.#durable = dump(this.#db)
  }

  /** Lets upkeep be cut off between its steps. */
  allowParts(): void {
    this.#durable = null
  }

  /** Whether a process that died has stored all of a batch or nothing. */
  get leftWhole(): boolean {
    return this.#durable === null || this.#durable === dump(this.#db)
  }
}
