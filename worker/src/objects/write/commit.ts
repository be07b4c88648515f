import type { Plan } from '../../core/batch/plan.ts'
import type { Stored } from '../../core/batch/plan-builder.ts'
import { type ChunkText, chunkTexts } from '../../core/log/chunk.ts'
import { lastSeq, type Origin, type Slot } from '../../core/log/chunk-header.ts'
import { concatenate } from '../../core/log/rows.ts'
import { MAX_APPEND_BYTES, SEGMENT_BYTES } from '../../core/values/limits.ts'
import type { Space } from '../space/space.ts'
import type { ClientRecord } from '../store/client-rows.ts'
import type { SpaceKeys } from '../store/seal.ts'
import type { Append } from '../store/segment-rows.ts'

/** Lines of the log, sealed before their sequence numbers are known. */
export interface SealedLines {
  readonly keys: SpaceKeys
  readonly origin: Origin
  readonly texts: readonly ChunkText[]
  readonly sealed: readonly Uint8Array[]
  /** Whether exactly these lines were sealed. */
  holds(lines: readonly string[]): boolean
}

/** Seals the lines of a batch. Null lines are left out. */
export async function sealLines(
  keys: SpaceKeys,
  lines: readonly (string | null)[],
  origin: Origin,
): Promise<SealedLines> {
  const texts = chunkTexts(lines)
  const sealed = await Promise.all(texts.map(({ text }) => keys.seal(text, origin)))
  return {
    keys,
    origin,
    texts,
    sealed,
    holds: (wanted) => wanted.length === lines.length && wanted.every((line, index) => line === lines[index]),
  }
}

/** The rows that are written together with a plan. */
interface CommitInput {
  readonly sealed: SealedLines
  /** The client's new record, if it changes. */
  readonly record: ClientRecord | null
  /** An open conflict to close, and the version that resolves it. */
  readonly resolved?: { readonly id: number; readonly by: number }
}

/** Carries out a plan in one transaction. */
export function commit(space: Space, plan: Plan, { sealed, record, resolved }: CommitInput): void {
  const { store } = space
  const appends = appendsOf(space, plan, sealed)
  const { t: at } = sealed.origin
  if (appends.length === 0 && record === null && resolved === undefined) return
  space.transaction(() => {
    for (const append of appends) store.append(append)
    if (plan.states.size > 0) store.putEntryStates(plan.states)
    if (plan.conflicts.length > 0) store.putConflicts(plan.conflicts, at)
    if (record !== null) store.putClient(record)
    if (resolved !== undefined) store.resolveConflict(resolved.id, { by: resolved.by, at })
  })
  for (const append of appends) advance(space, append)
}

/** The log rows that take the stored changes: nearly always the newest row or one new row. */
function appendsOf(
  { state }: Space,
  plan: Plan,
  { keys, origin, texts, sealed }: SealedLines,
): readonly Append[] {
  const storedByLine = new Map(plan.stored.map((stored) => [stored.index, stored]))
  const entries = state.entries + plan.entries
  const superseded = state.superseded + plan.superseded
  const { tail } = state
  const appends: { into: number | null; first: number; last: number; parts: Uint8Array[]; bytes: number }[] =
    []
  let into = tail !== null && tail.bytes < SEGMENT_BYTES ? tail.first : null
  for (const [number, { indexes }] of texts.entries()) {
    const slots = indexes.flatMap((line, index) => {
      const stored = storedByLine.get(line)
      return stored === undefined ? [] : [slotOf(stored, index)]
    })
    const [slot] = slots
    if (slot === undefined) continue
    const { header, bytes: part } = keys.chunk(origin, slots, sealed[number] as Uint8Array)
    let append = appends.at(-1)
    if (append === undefined || append.bytes + part.length > MAX_APPEND_BYTES) {
      append = { into, first: slot.seq, last: 0, parts: [], bytes: 0 }
      appends.push(append)
      into = null
    }
    append.parts.push(part)
    append.bytes += part.length
    append.last = lastSeq(header)
  }
  return appends.map(({ parts, bytes: _, ...row }) => ({
    ...row,
    entries,
    superseded,
    at: origin.t,
    body: concatenate(parts),
  }))
}

function slotOf({ seq, previous, lift }: Stored, index: number): Slot {
  return { seq, previous, index, lift }
}

/** Updates the state of the space after a row of the log was written. */
export function advance(space: Space, { into, first, last, entries, superseded, at, body }: Append): void {
  const bytes = into === null ? body.length : (space.state.tail?.bytes ?? 0) + body.length
  const tail = { first: into ?? first, bytes }
  space.state = { ...space.state, seq: last, entries, superseded, lastSync: at, tail }
}
