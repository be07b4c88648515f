/** The most rows of a range. Nearly all rows have 16 KiB, so the limit of bytes ends a range long before. */
export const MAX_RANGE_ROWS = 1000

/** The size of a row and its first sequence number. */
export type RowSize = { first: number; bytes: number }

/**
 * The leading rows that together are about `bytes` long. Reads the query to its end, because an unfinished query keeps
 * its table from being changed.
 */
export function rowsWithin(bytes: number, sizes: Iterable<RowSize>): readonly RowSize[] {
  let before = 0
  return [...sizes].filter((row) => {
    const fits = before < bytes
    before += row.bytes
    return fits
  })
}

/** The first sequence number of the last such row; undefined without rows. */
export function lastWithin(bytes: number, sizes: Iterable<RowSize>): number | undefined {
  return rowsWithin(bytes, sizes).at(-1)?.first
}
