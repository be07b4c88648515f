import type { Conflict } from '../../core/batch/conflict.ts'
import type { Plan } from '../../core/batch/plan.ts'
import type { EntryState } from '../../core/batch/stance.ts'
import { firstSeq, lastSeq } from '../../core/log/chunk-header.ts'
import { concatenate } from '../../core/log/rows.ts'
import type { Amounts } from '../../core/space/quota.ts'
import { SEGMENT_BYTES } from '../../core/values/limits.ts'
import type { ClientRecord } from '../store/client-rows.ts'
import { encodePending, isPending, isSmall, NONE_PENDING, type PendingRows } from '../store/pending-rows.ts'
import type { Append } from '../store/segment-rows.ts'
import type { SpaceState, Store } from '../store/store.ts'
import type { KnownVersions } from './known-versions.ts'
import type { RecentChanges } from './recent-changes.ts'
import { chunksOf, type SealedChunk, type SealedLines } from './sealed-lines.ts'

/** The rows of a space, and its state in memory, which is derived from them and replaced only after a commit. */
export interface StoredSpace {
  readonly store: Store
  readonly transaction: <T>(work: () => T) => T
  state: SpaceState
  /** The newest changes in clear. */
  readonly recent: RecentChanges
  /** Which versions of the log are current. */
  known: KnownVersions
}

/** A plan, and the rows that are written together with it. */
export interface Writes {
  readonly plan: Plan
  readonly sealed: SealedLines
  /** The client's new record, if it changes. */
  readonly record: ClientRecord | null
  /** An open conflict to close, and the version that resolves it. */
  readonly resolved?: { readonly id: number; readonly by: number }
}

/** The keys and the client of a batch, whose rows its decision reads. */
export interface Reads {
  readonly keys: readonly string[]
  readonly client: string
}

/**
 * A space with the writes of some batches that are not committed yet. Each batch of a group is decided against the
 * writes of those before it. Nothing may be awaited between making a draft and committing it.
 */
export interface Draft {
  readonly seq: number
  entry(key: string): EntryState | undefined
  client(id: string): ClientRecord | undefined
  conflicts(ids: readonly number[]): readonly Conflict[]
  /** The usage of the space, its bytes without the pages that the rows will share. */
  used(): Amounts
  add(writes: Writes): void
  /** Stores all writes in one transaction, then replaces the state of the space. If it throws, neither has changed. */
  commit(): void
}

/** A draft without writes, with the rows that some batches read. */
export function draftOf(space: StoredSpace, reads: readonly Reads[]): Draft {
  const { store } = space
  const entries = store.entryStates(reads.flatMap(({ keys }) => keys))
  const clients = store.clients(reads.map(({ client }) => client))
  const written = noRows()
  let state = space.state
  let storedBytes: number | undefined

  return {
    get seq() {
      return state.seq
    },
    entry: (key) => entries.get(key),
    client: (id) => clients.get(id),

    conflicts(ids) {
      const drafted = written.conflicts.flatMap(({ conflicts }) => conflicts)
      const own = drafted.filter(({ id }) => ids.includes(id))
      return own.length === ids.length ? own : [...store.conflicts(ids), ...own]
    },

    used() {
      storedBytes ??= store.bytes()
      return { entries: state.entries, bytes: storedBytes + written.bytes }
    },

    add({ plan, sealed, record, resolved }) {
      const at = sealed.origin.t
      const chunks = chunksOf(sealed, plan.stored)
      for (const [key, entry] of plan.states) {
        entries.set(key, entry)
        written.states.set(key, entry)
      }
      written.replaced.push(...plan.replaced)
      for (const chunk of chunks) {
        written.chunks.push(chunk)
        written.bytes += chunk.bytes.length
      }
      if (record !== null) {
        clients.set(record.id, record)
        written.records.set(record.id, record)
      }
      if (plan.conflicts.length > 0) written.conflicts.push({ conflicts: plan.conflicts, at })
      if (resolved !== undefined) written.resolved.push({ ...resolved, at })
      if (chunks.length > 0) state = stateAfter(state, plan, at)
    },

    commit() {
      if (isEmpty(written)) return
      const appends = appendsOf(space.state, state, written.chunks)
      const tail = tailAfter(space.state.tail, appends)
      const laid = isOpen(tail) ? withWritten(space, written) : null
      // Once the newest row is full, or too many rows wait, all of them go into their tables.
      const pending = laid !== null && isSmall(laid) ? laid : null
      const column = pending && encodePending(pending)
      const isColumnStale = pending === null ? isPending(space.state.pending) : written.records.size > 0
      space.transaction(() => {
        for (const append of appends)
          store.append(append === appends.at(-1) ? { ...append, pending: column } : append)
        if (pending === null) putAllRows(space, written)
        if (appends.length === 0 && isColumnStale) store.putPending(column)
        for (const { conflicts, at } of written.conflicts) store.putConflicts(conflicts, at)
        for (const { id, ...by } of written.resolved) store.resolveConflict(id, by)
      })
      space.recent.add(written.chunks, space.state.seq)
      space.known.retire(written.replaced)
      space.state = { ...state, tail, pending: pending ?? NONE_PENDING }
    },
  }
}

/** Writes the pending rows into their tables, before something reads or changes these tables as a whole. */
export function settlePending(space: StoredSpace): void {
  const { store, state } = space
  if (!isPending(state.pending)) return
  space.transaction(() => {
    store.putPending(null)
    putRows(store, state.pending)
  })
  space.state = { ...state, pending: NONE_PENDING }
}

/** Writes the pending rows, with those of a draft laid over them, into their tables. */
function putAllRows(space: StoredSpace, written: DraftRows): void {
  const { store, state } = space
  if (isPending(state.pending)) putRows(store, withWritten(space, written))
  else {
    if (written.states.size > 0) store.putEntryStates(written.states)
    if (written.records.size > 0) store.putClients(written.records.values())
  }
}

function putRows(store: Store, { entries, records }: PendingRows): void {
  if (entries.size > 0) store.putEntries(entries)
  if (records.size > 0) store.putClients(records.values())
}

/** The pending rows with those of a draft laid over them. */
function withWritten(
  { store, state: { pending } }: StoredSpace,
  { states, records }: DraftRows,
): PendingRows {
  return {
    entries: new Map([...pending.entries, ...store.named(states)]),
    records: new Map([...pending.records, ...records]),
  }
}

function isEmpty({ chunks, records, resolved }: DraftRows): boolean {
  return chunks.length === 0 && records.size === 0 && resolved.length === 0
}

/** The rows that a draft writes. */
interface DraftRows {
  readonly chunks: SealedChunk[]
  /** The total length of the chunks. */
  bytes: number
  readonly states: Map<string, EntryState>
  /** The versions that are current no longer. */
  readonly replaced: number[]
  readonly records: Map<string, ClientRecord>
  readonly conflicts: { readonly conflicts: readonly Conflict[]; readonly at: number }[]
  readonly resolved: { readonly id: number; readonly by: number; readonly at: number }[]
}

function noRows(): DraftRows {
  return {
    chunks: [],
    bytes: 0,
    states: new Map(),
    replaced: [],
    records: new Map(),
    conflicts: [],
    resolved: [],
  }
}

function stateAfter(state: SpaceState, { seq, entries, superseded }: Plan, at: number): SpaceState {
  return {
    ...state,
    seq,
    entries: state.entries + entries,
    superseded: state.superseded + superseded,
    lastSync: at,
  }
}

/** A row of the log while chunks are added to it. */
interface OpenRow {
  /** The first sequence number of a row that exists; null for a new one. */
  readonly into: number | null
  readonly chunks: SealedChunk[]
  bytes: number
}

/**
 * The log rows that take the chunks: the newest row until it is full, then new ones. Only the newest row's counts are
 * ever read, so all rows get the counts after the last chunk.
 */
function appendsOf(
  { tail }: SpaceState,
  { entries, superseded, lastSync }: SpaceState,
  chunks: readonly SealedChunk[],
): readonly Append[] {
  const rows: OpenRow[] = []
  let open: OpenRow = { into: tail?.first ?? null, chunks: [], bytes: tail?.bytes ?? 0 }
  for (const chunk of chunks) {
    if (open.bytes >= SEGMENT_BYTES) open = { into: null, chunks: [], bytes: 0 }
    if (open.chunks.length === 0) rows.push(open)
    open.chunks.push(chunk)
    open.bytes += chunk.bytes.length
  }
  return rows.map((row) => ({
    into: row.into,
    first: firstSeq((row.chunks[0] as SealedChunk).header),
    last: lastSeq((row.chunks.at(-1) as SealedChunk).header),
    entries,
    superseded,
    at: lastSync ?? 0,
    body: concatenate(row.chunks.map(({ bytes }) => bytes)),
    pending: null,
  }))
}

/** Whether a row of the log takes more chunks, and so may hold pending rows. */
function isOpen(tail: SpaceState['tail']): boolean {
  return tail !== null && tail.bytes < SEGMENT_BYTES
}

/** The newest row of the log after some appends. */
function tailAfter(tail: SpaceState['tail'], appends: readonly Append[]): SpaceState['tail'] {
  const last = appends.at(-1)
  if (last === undefined) return tail
  const { into, first, body } = last
  return into === null
    ? { first, bytes: body.length }
    : { first: into, bytes: (tail?.bytes ?? 0) + body.length }
}

/** The state of a space after rows of the log were written that hold no pending rows. */
export function stateWith(state: SpaceState, appends: readonly Append[]): SpaceState {
  const last = appends.at(-1)
  if (last === undefined) return state
  const { last: seq, entries, superseded, at } = last
  return { ...state, seq, entries, superseded, lastSync: at, tail: tailAfter(state.tail, appends) }
}
