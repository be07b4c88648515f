import { fitsBytes } from './json.ts'
import { MAX_KEY_BYTES } from './limits.ts'

/** The collection of keys that have no slash. */
export const DEFAULT_COLLECTION = 'default'

/** The part of a key before its first slash. */
export function collectionOf(key: string): string {
  const slash = key.indexOf('/')
  return slash === -1 ? DEFAULT_COLLECTION : key.slice(0, slash)
}

/**
 * Whether a key is 1 to 512 bytes of UTF-8 with no control characters (Unicode category Cc), no lone surrogate, and no
 * empty collection.
 */
export function isKey(key: string): boolean {
  if (key.length === 0 || key[0] === '/' || !fitsBytes(key, MAX_KEY_BYTES)) return false
  return key.isWellFormed() && !hasControl(key)
}

function hasControl(key: string): boolean {
  for (let index = 0; index < key.length; index++) {
    const unit = key.charCodeAt(index)
    if (unit < 0x20 || (unit >= 0x7f && unit < 0xa0)) return true
  }
  return false
}
