/** The most rows of a stretch: nearly all have 16 KiB, so that its bytes end it long before. */
export const MAX_RANGE_ROWS = 1000

/** A row, by where it begins and how large it is. */
export type RowSize = { first: number; bytes: number }

/**
 * The first of some rows that together are about so many bytes. Reads the query to its end: an unfinished one keeps its
 * table from being changed.
 */
export function rowsWithin(bytes: number, sizes: Iterable<RowSize>): readonly RowSize[] {
  let before = 0
  return [...sizes].filter((row) => {
    const fits = before < bytes
    before += row.bytes
    return fits
  })
}

/** Where such rows end; undefined without any. */
export function lastWithin(bytes: number, sizes: Iterable<RowSize>): number | undefined {
  return rowsWithin(bytes, sizes).at(-1)?.first
}
