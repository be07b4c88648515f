import type { Progress } from '../../core/feed/import-plan.ts'
import type { KeyNames } from './key-names.ts'

/** What only an import writes. */
export interface ImportRows {
  putImport(progress: Progress): void
  /** Takes keys out without a trace. */
  dropHeads(keys: readonly string[]): void
}

export function importRows(sql: SqlStorage, names: KeyNames): ImportRows {
  return {
    putImport(progress) {
      sql.exec(`INSERT OR REPLACE INTO meta VALUES ('import', ?)`, JSON.stringify(progress))
    },

    dropHeads(keys) {
      const dropped = JSON.stringify(keys.map(names))
      sql.exec('DELETE FROM head WHERE key IN (SELECT value FROM json_each(?))', dropped)
    },
  }
}

/** How far an import has come, as `meta` holds it. */
export function importedIn(meta: ReadonlyMap<string, SqlStorageValue>): Progress | null {
  const stored = meta.get('import')
  return stored === undefined ? null : (JSON.parse(String(stored)) as Progress)
}
