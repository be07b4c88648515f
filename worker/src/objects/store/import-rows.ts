import type { Progress } from '../../core/feed/import-plan.ts'

/** The rows that only an import writes. */
export interface ImportRows {
  putImport(progress: Progress): void
}

export function importRows(sql: SqlStorage): ImportRows {
  return {
    putImport(progress) {
      sql.exec(`INSERT OR REPLACE INTO meta VALUES ('import', ?)`, JSON.stringify(progress))
    },
  }
}

/** Reads the progress of an import from `meta`; null if the space was never imported into. */
export function importedIn(meta: ReadonlyMap<string, SqlStorageValue>): Progress | null {
  const stored = meta.get('import')
  return stored === undefined ? null : (JSON.parse(String(stored)) as Progress)
}
