import type { Verdicts } from '../values/violation.ts'
import { type Request, textOf } from '../values/wire.ts'
import { checkFrame, checkReply, type Followed, type Handled } from './reply-checks.ts'
import { Sightings } from './sightings.ts'

/** Collects everything that the server sends, and checks each reply and frame on arrival. */
export class Replies {
  readonly handled: Handled[] = []
  readonly #verdicts: Verdicts
  readonly #sightings: Sightings
  readonly #results = new Map<string, string>()
  readonly #decided = new Set<string>()

  constructor(verdicts: Verdicts) {
    this.#verdicts = verdicts
    this.#sightings = new Sightings(verdicts)
  }

  take(handled: Handled): void {
    const { client, request } = handled
    this.handled.push(handled)
    checkReply(this.#verdicts, handled)
    this.#sightings.noteReply(handled)
    if (request.batch !== undefined) this.#checkRepetition(nameOf(client, request), handled)
  }

  takeFrame(followed: Followed): void {
    checkFrame(this.#verdicts, followed)
    this.#sightings.noteFrame(followed.frame)
  }

  /** A batch is decided once, and every reply to it says the same, in whatever order the replies arrive. */
  #checkRepetition(name: string, { reply }: Handled): void {
    // A merged value and a conflict may be past their retention. Other checks hold that they were right.
    const text = reply.results.map(({ value: _, conflict: __, ...result }) => textOf(result)).join()
    const before = this.#results.get(name) ?? text
    const twice = !reply.replayed && this.#decided.has(name)
    this.#verdicts.expect(
      before === text && !twice,
      'IN4',
      () => `batch ${name} was ${before} and then ${text}`,
    )
    this.#results.set(name, text)
    if (!reply.replayed) this.#decided.add(name)
  }
}

/** The name of a batch, unique within a history. */
export function nameOf({ id }: { readonly id: string }, { batch }: Request): string {
  return `${id} ${batch}`
}
