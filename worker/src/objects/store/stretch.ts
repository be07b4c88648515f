/** The most rows of a stretch: nearly all have 16 KiB, so that its bytes end it long before. */
export const ROWS_AT_ONCE = 1000

/** A row, by where it begins and how large it is. */
export type Size = { first: number; bytes: number }

/**
 * The first of some rows that together are about so many bytes. Reads the query to its end: an unfinished one keeps its
 * table from being changed.
 */
export function takenOf(bytes: number, sizes: Iterable<Size>): readonly Size[] {
  let before = 0
  return [...sizes].filter((row) => {
    const fits = before < bytes
    before += row.bytes
    return fits
  })
}

/** Where such rows end; undefined without any. */
export function endOf(bytes: number, sizes: Iterable<Size>): number | undefined {
  return takenOf(bytes, sizes).at(-1)?.first
}
