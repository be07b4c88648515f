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

/** Lines of the log, sealed before anyone knows where they go. */
export interface SealedLines {
  readonly keys: SpaceKeys
  readonly origin: Origin
  readonly drafts: readonly ChunkText[]
  readonly sealed: readonly Uint8Array[]
  /** Whether it is these lines that were sealed. */
  holds(lines: readonly string[]): boolean
}

/** Seals the lines of a batch; those that are null are left out. */
export async function sealLines(
  keys: SpaceKeys,
  lines: readonly (string | null)[],
  origin: Origin,
): Promise<SealedLines> {
  const drafts = chunkTexts(lines)
  const sealed = await Promise.all(drafts.map(({ text }) => keys.seal(text, origin)))
  return {
    keys,
    origin,
    drafts,
    sealed,
    holds: (wanted) => wanted.length === lines.length && wanted.every((line, index) => line === lines[index]),
  }
}

/** What is stored together with a plan's changes. */
export interface Accompaniment {
  readonly sealed: SealedLines
  /** For numbered batches. */
  readonly record: ClientRecord | null
  /** An open conflict that is closed with it, and the version that settles it. */
  readonly decides?: { readonly id: number; readonly by: number }
}

/** Carries out a plan in one transaction: all of it, or nothing. */
export function commit(space: Space, plan: Plan, { sealed, record, decides }: Accompaniment): void {
  const { store } = space
  const appends = appendsOf(space, plan, sealed)
  const { t: at } = sealed.origin
  if (appends.length === 0 && record === null && decides === undefined) return
  space.transaction(() => {
    for (const append of appends) store.append(append)
    if (plan.states.size > 0) store.putEntryStates(plan.states)
    if (plan.conflicts.length > 0) store.putConflicts(plan.conflicts, at)
    if (record !== null) store.putClient(record)
    if (decides !== undefined) store.resolveConflict(decides.id, { by: decides.by, at })
  })
  for (const append of appends) advance(space, append)
}

/** The rows that the stored changes go into: nearly always the newest one or one more. */
function appendsOf(
  { state }: Space,
  plan: Plan,
  { keys, origin, drafts, sealed }: SealedLines,
): readonly Append[] {
  const placed = new Map(plan.stored.map((stored) => [stored.index, stored]))
  const entries = state.entries + plan.entries
  const superseded = state.superseded + plan.superseded
  const { tail } = state
  const appends: { into: number | null; first: number; last: number; parts: Uint8Array[]; bytes: number }[] =
    []
  let into = tail !== null && tail.bytes < SEGMENT_BYTES ? tail.first : null
  for (const [position, { indexes }] of drafts.entries()) {
    const slots = indexes.flatMap((line, index) => {
      const stored = placed.get(line)
      return stored === undefined ? [] : [slotOf(stored, index)]
    })
    const [slot] = slots
    if (slot === undefined) continue
    const { header, bytes: part } = keys.chunk(origin, slots, sealed[position] as Uint8Array)
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

/** Brings what is known of the log in step with a row that was written. */
export function advance(space: Space, { into, first, last, entries, superseded, at, body }: Append): void {
  const bytes = into === null ? body.length : (space.state.tail?.bytes ?? 0) + body.length
  const tail = { first: into ?? first, bytes }
  space.state = { ...space.state, seq: last, entries, superseded, lastSync: at, tail }
}
