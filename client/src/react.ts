import { useMemo, useSyncExternalStore } from 'react'
import type { Chronicle } from './chronicle.ts'
import type { Collection, Selection } from './collection.ts'
import { type Status, UNKNOWN } from './device/status.ts'
import type { Trouble } from './troubles.ts'
import type { Readable } from './values/readable.ts'
import type { Row } from './view/row.ts'

const NOTHING = () => undefined
const STATUS = () => UNKNOWN
const NO_TROUBLES: readonly Trouble[] = []
const TROUBLES = () => NO_TROUBLES

/**
 * The rows of a selection, by id in ascending order; undefined until they are read, and on a server. The component
 * renders again when one of these rows changes, and a row that has not changed stays the same object.
 */
export function useRows<T extends object>(
  collection: Collection<T>,
  { prefix = '' }: Selection = {},
): readonly Row<T>[] | undefined {
  const query = useMemo(() => collection.query({ prefix }), [collection, prefix])
  return useReadable(query, NOTHING)
}

/**
 * One row; null if it does not exist, and undefined until it is read, and on a server. The component renders again when the
 * row changes, and not for other rows.
 */
export function useRow<T extends object>(collection: Collection<T>, id: string): Row<T> | null | undefined {
  const row = useMemo(() => collection.row(id), [collection, id])
  return useReadable(row, NOTHING)
}

/** Whether everything is saved. On a server: nothing is known yet. */
export function useStatus(db: Chronicle): Status {
  return useReadable(db.status, STATUS)
}

/** The edits that need attention, the oldest first. On a server: none. */
export function useTroubles(db: Chronicle): readonly Trouble[] {
  return useReadable(db.troubles, TROUBLES)
}

/** A server, and the first render over its HTML, show `onServer`: what a device has is not known there. */
function useReadable<T>({ subscribe, getSnapshot }: Readable<T>, onServer: () => T): T {
  return useSyncExternalStore(subscribe, getSnapshot, onServer)
}
