/**
 * Queries of the rows of entries and clients, for tests that look into the database: the rows that the newest row of the
 * log holds in its column `pending`, and those of the tables beneath them.
 */

/** The row of each entry: `key` (its name) and the other columns of the table `head`. */
export const HEADS = rowsOf('head', 0, ['key', 'seq', 'root', 'at', '"by"', 'deleted', 'merged'])

/** The record of each client, without its digest. */
export const CLIENTS = rowsOf('client', 1, [
  'id',
  'subject',
  'batch',
  'digest',
  'arrived',
  'skew',
  'verdicts',
  'generation',
])

/** Lays the rows at an index of the pending ones over a table, whose first column identifies a row. */
function rowsOf(table: string, index: number, columns: readonly string[]): string {
  const [id] = columns
  const names = columns.filter((name) => name !== 'digest')
  const decoded = names.map((name) => `row.value ->> ${columns.indexOf(name)} AS ${name}`)
  return `
    WITH pending AS (
      SELECT ${decoded.join(', ')}
      FROM json_each((SELECT pending FROM segment ORDER BY first DESC LIMIT 1), '$[${index}]') AS row
    )
    SELECT * FROM pending
    UNION ALL SELECT ${names.join(', ')} FROM ${table} WHERE ${id} NOT IN (SELECT ${id} FROM pending)`
}
