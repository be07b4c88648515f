import { tryChunks } from '../../core/log/chunk.ts'
import { DAY_MS, DROP_ROWS, SLICE_BYTES } from '../../core/values/limits.ts'
import type { Space } from '../space/space.ts'
import type { ArchiveRow } from '../store/archive-rows.ts'

/** Drops rows past their retention, a bounded number of each kind. Returns whether more may be left. */
export function dropAged(space: Space, now: number): boolean {
  const { historyDays, tombstoneDays } = space.config
  const [kept, remembered] = [now - historyDays * DAY_MS, now - tombstoneDays * DAY_MS]
  space.store.forgetRevoked(now)
  // Conflicts are dropped before the versions that they refer to.
  const conflicts = space.store.dropConflicts(kept, DROP_ROWS) === DROP_ROWS
  const archives = !conflicts && dropArchives(space, kept, now)
  const tombstones = dropTombstones(space, remembered) === DROP_ROWS
  if (conflicts || archives || tombstones) return true
  // This query scans all clients, so it runs last.
  return space.store.dropVerdicts(remembered, DROP_ROWS) === DROP_ROWS
}

/**
 * Drops archive rows. Returns whether more may be left. A row that a conflict refers to gets a new date, so that the next
 * step finds other rows.
 */
function dropArchives({ store }: Space, before: number, now: number): boolean {
  const rows = store.archivedBefore(before, { rows: DROP_ROWS, bytes: SLICE_BYTES })
  const kept = new Set(rows.filter((row) => isContested(store, row)).map(({ first }) => first))
  if (kept.size > 0) store.keepArchives([...kept], now)
  if (kept.size < rows.length)
    store.dropArchives(rows.map(({ first }) => first).filter((first) => !kept.has(first)))
  return rows.length === DROP_ROWS || sizeOf(rows) >= SLICE_BYTES
}

function sizeOf(rows: readonly ArchiveRow[]): number {
  return rows.reduce((sum, { body }) => sum + body.length, 0)
}

function isContested(store: Space['store'], { first, last, body }: ArchiveRow): boolean {
  if (!store.isRangeContested(first, last)) return false
  const chunks = tryChunks(body)
  return chunks === null || chunks.some(({ header }) => store.isContested(header.slots.map(({ seq }) => seq)))
}

/** Drops tombstones and raises the floor: a reader that has not seen them must start over. Their versions become superseded. */
function dropTombstones(space: Space, before: number): number {
  const { store, state } = space
  const seqs = space.transaction(() => {
    const dropped = store.dropTombstones(store.lastBefore(before), DROP_ROWS)
    if (dropped.length > 0) {
      store.putFloor(Math.max(state.floor, ...dropped))
      store.putCounts({ ...state, superseded: state.superseded + dropped.length })
    }
    return dropped
  })
  space.known.retire(seqs)
  const floor = Math.max(state.floor, ...seqs)
  space.state = { ...state, floor, superseded: state.superseded + seqs.length }
  return seqs.length
}
