import type { Verdicts } from '../values/violation.ts'
import { type Entry, type Frame, type Json, textOf } from '../values/wire.ts'
import type { Handled } from './reply-checks.ts'

type Content = readonly [key: string, by: string, deleted: boolean, value: Json | undefined]

/** What a version was seen to be, wherever it was seen: it must be the same everywhere and for ever. */
export class Sightings {
  readonly #seen = new Map<string, string>()
  readonly #verdicts: Verdicts

  constructor(verdicts: Verdicts) {
    this.#verdicts = verdicts
  }

  note(version: string, [key, by, deleted, value]: Content): void {
    const text = `${key} by ${by}, ${deleted ? 'deleted ' : ''}${textOf(value)}`
    const before = this.#seen.get(version) ?? text
    this.#seen.set(version, before)
    this.#verdicts.expect(before === text, 'IN8', () => `${version} was ${before} and is ${text}`)
  }

  noteFrame(frame: Frame): void {
    if (frame.type === 'changes') this.#noteEntries(frame.changes)
  }

  noteReply({ client, request, reply }: Handled): void {
    for (const [index, { key, status, version }] of reply.results.entries()) {
      const change = request.changes[index]
      if (status === 'applied' && version !== undefined)
        this.note(version, [key, client.id, change?.deleted === true, change?.value])
    }
    this.#noteEntries(reply.changes)
    for (const { key, winner, loser } of reply.conflicts) {
      for (const { version, by, deleted, value, omitted } of [winner, loser]) {
        if (version !== undefined && !omitted) this.note(version, [key, by ?? '', deleted === true, value])
      }
    }
  }

  #noteEntries(entries: readonly Entry[]): void {
    for (const { key, version, by, deleted, value } of entries)
      this.note(version, [key, by, deleted === true, value])
  }
}
