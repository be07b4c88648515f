import { MAX_POINTER_LENGTH } from './limits.ts'

/**
 * A JSON pointer (RFC 6901). If it would be too long, it points to the innermost enclosing location whose pointer is
 * not.
 */
export function boundedPointer(names: readonly (string | number)[]): string {
  let pointer = ''
  for (const name of names) {
    const longer = `${pointer}/${escapePointer(String(name))}`
    if (longer.length > MAX_POINTER_LENGTH) return pointer
    pointer = longer
  }
  return pointer
}

export function escapePointer(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1')
}
