import type { Session } from '../../../worker/src/core/access/session.ts'
import type { Space } from '../../../worker/src/objects/space/space.ts'
import type { Random } from '../values/random.ts'
import type { ConflictReport, Entry } from '../values/wire.ts'
import type { Floor } from './floor.ts'
import type { Turns } from './turns.ts'

/** The process that is asked for pages. */
interface Process {
  readonly floor: Floor
  readonly space: Space
  readonly turns: Turns
}

/** Reads the lists of a space in pages of any size, each while no other request is in flight. */
export class Pages {
  readonly #process: Process
  readonly #random: Random

  constructor(process: Process, random: Random) {
    this.#process = process
    this.#random = random
  }

  /** The conflicts that some collections grant. */
  async conflicts(granted: readonly string[] | null): Promise<readonly ConflictReport[]> {
    const { floor, space } = this.#process
    const found: ConflictReport[] = []
    for (let after: number | null = 0; after !== null; ) {
      const query = { after, limit: this.#random.between(1, 50) }
      const page = JSON.parse(await this.#alone(floor.listConflicts(space, query, granted)))
      found.push(...page.conflicts)
      after = page.next
    }
    return found
  }

  /** The versions of a key, newest first. */
  async history(session: Session, key: string): Promise<readonly Entry[]> {
    const { floor, space } = this.#process
    const found: Entry[] = []
    for (let before: string | null | undefined; before !== null; ) {
      const query = { key, limit: this.#random.between(1, 20), ...(before !== undefined && { before }) }
      const page = await this.#alone(floor.readHistory(space, session, query))
      if (!page.ok) return found
      const { versions, next } = JSON.parse(page.value)
      found.push(...versions)
      before = next
    }
    return found
  }

  /** Waits for a reply while no other request is in flight. */
  async #alone<T>(work: Promise<T>): Promise<T> {
    const { turns } = this.#process
    await turns.settle()
    await turns.openAll(this.#random)
    return work
  }
}
