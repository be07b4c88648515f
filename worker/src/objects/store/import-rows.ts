import type { Progress } from '../../core/feed/import-plan.ts'
import type { KeyNames } from './key-names.ts'

/** The rows that only an import writes. */
export interface ImportRows {
  putImport(progress: Progress): void
  /** Deletes entries without a tombstone. */
  dropEntryStates(keys: readonly string[]): void
}

export function importRows(sql: SqlStorage, keyNames: KeyNames): ImportRows {
  return {
    putImport(progress) {
      sql.exec(`INSERT OR REPLACE INTO meta VALUES ('import', ?)`, JSON.stringify(progress))
    },

    dropEntryStates(keys) {
      const dropped = JSON.stringify(keys.map(keyNames))
      sql.exec('DELETE FROM head WHERE key IN (SELECT value FROM json_each(?))', dropped)
    },
  }
}

/** Reads the progress of an import from `meta`; null if the space was never imported into. */
export function importedIn(meta: ReadonlyMap<string, SqlStorageValue>): Progress | null {
  const stored = meta.get('import')
  return stored === undefined ? null : (JSON.parse(String(stored)) as Progress)
}
