import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Space } from '../../../worker/src/objects/space/space.ts'
import { HEADS } from '../../support/stored-rows.ts'
import type { Dispute, Journal, Stand, Tip } from '../checks/journal.ts'
import { Violation } from '../values/violation.ts'
import type { Floor } from './floor.ts'
import { readLog } from './log-reader.ts'

/** The statements with which the checker reads the database directly. */
type Readers = Readonly<Record<'segments' | 'last' | 'heads' | 'conflicts', StatementSync>>

/** Rows that the checker reads in the database of a space, past the process that writes them. */
export class Records {
  readonly #db: DatabaseSync
  readonly #floor: Floor
  readonly #stands: Stand[] = []
  /** The current versions after the last commit. */
  #current: ReadonlySet<number> = new Set()
  #readers: Readers | undefined

  constructor(db: DatabaseSync, floor: Floor) {
    this.#db = db
    this.#floor = floor
  }

  /** Notes how the entries stand after a commit. */
  committed(): void {
    const tips = this.#read().heads.all() as unknown as readonly Tip[]
    this.#current = new Set(tips.map(({ seq }) => seq))
    this.#stands.push({ tips, last: Number(this.#read().last.get()?.['last']) })
  }

  /** Records the rows that were written since the last call. `masterKey`: the live generations of it. */
  async note(journal: Journal, masterKey: string): Promise<void> {
    if (this.#stands.length === 0) return
    const stands = this.#stands.splice(0)
    const after = journal.last
    const segments = this.#read()
      .segments.all(after)
      .map(({ body }) => body as Uint8Array)
    const keys = segments.length === 0 ? null : await this.#floor.spaceKeys(masterKey, 'space')
    journal.note({
      versions: keys === null ? [] : await readLog(this.#floor, { segments, keys, after }),
      stands,
      disputes: this.#read().conflicts.all(after) as unknown as readonly Dispute[],
    })
  }

  /** Checks that a space takes no version for current that is not, and no current one for replaced. */
  checkKnown({ known, state }: Space): void {
    for (let seq = 1; seq <= state.seq; seq++) {
      const isCurrent = known.isCurrent(seq)
      if (isCurrent !== undefined && isCurrent !== this.#current.has(seq))
        throw new Violation('IN1', `version ${seq} is taken for ${isCurrent ? 'current' : 'replaced'}`)
    }
  }

  /** Prepared on first use, because the tables must exist. */
  #read(): Readers {
    this.#readers ??= {
      segments: this.#db.prepare('SELECT body FROM segment WHERE last > ?'),
      last: this.#db.prepare('SELECT coalesce(max(last), 0) AS last FROM segment'),
      heads: this.#db.prepare(HEADS),
      conflicts: this.#db.prepare('SELECT id, loser, open FROM conflict WHERE id > ?'),
    }
    return this.#readers
  }
}
