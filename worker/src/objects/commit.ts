import { type ChunkDraft, encodeChunk, type Origin } from '../core/chunk.ts'
import { SEGMENT_BYTES } from '../core/limits.ts'
import type { Plan } from '../core/plan.ts'
import type { Space } from './space.ts'
import type { Append, ClientRecord } from './store.ts'

/** A batch's chunks, sealed before anyone knew what becomes of them. */
export interface SealedBatch {
  readonly origin: Origin
  readonly drafts: readonly ChunkDraft[]
  readonly sealed: readonly Uint8Array[]
}

/** Carries out a plan in one transaction: all of it, or nothing. `record` is there for numbered batches. */
export function commit(space: Space, plan: Plan, batch: SealedBatch, record: ClientRecord | null): void {
  const append = plan.stored.length === 0 ? null : toAppend(space, plan, batch)
  if (append === null && record === null) return
  const into = append === null ? null : segmentFor(space)
  space.transaction(() => {
    if (append !== null) {
      space.store.append(append, into)
      space.store.putHeads(plan.heads)
    }
    if (plan.conflicts.length > 0) space.store.putConflicts(plan.conflicts)
    if (record !== null) space.store.putClient(record)
  })
  if (append !== null) advance(space, append, into)
}

function toAppend({ standing }: Space, plan: Plan, { origin, drafts, sealed }: SealedBatch): Append {
  const parts = drafts.flatMap(({ indexes }, position) => {
    const s = placesIn(plan, indexes)
    const content = sealed[position] as Uint8Array
    return s.length === 0 ? [] : [encodeChunk({ frame: { ...origin, s }, sealed: content })]
  })
  return {
    first: standing.seq + 1,
    last: plan.seq,
    entries: standing.entries + plan.entries,
    at: origin.t,
    body: concatenate(parts),
  }
}

/** The stored changes of one chunk, as the flat triples of its frame. */
function placesIn(plan: Plan, indexes: readonly number[]): readonly number[] {
  const places = new Map(indexes.map((index, place) => [index, place]))
  return plan.stored.flatMap(({ seq, previous, index }) => {
    const place = places.get(index)
    return place === undefined ? [] : [seq, previous, place]
  })
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0] as Uint8Array
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let offset = 0
  for (const part of parts) {
    bytes.set(part, offset)
    offset += part.length
  }
  return bytes
}

function segmentFor({ standing }: Space): number | null {
  return standing.tail !== null && standing.tail.bytes < SEGMENT_BYTES ? standing.tail.first : null
}

function advance(space: Space, { first, last, entries, at, body }: Append, into: number | null): void {
  const bytes = into === null ? body.length : (space.standing.tail?.bytes ?? 0) + body.length
  const tail = { first: into ?? first, bytes }
  space.standing = { ...space.standing, seq: last, entries, lastSync: at, tail }
}
