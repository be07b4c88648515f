import { renameSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

/**
 * Writes a file atomically, so that no process ever reads half of it. `drafts` is a folder of the same disk in which
 * nobody else looks for files.
 */
export function replaceFile(path: string, contents: string | Uint8Array, drafts = dirname(path)): void {
  const draft = join(drafts, `${basename(path)}.${process.pid}.new`)
  writeFileSync(draft, contents)
  renameSync(draft, path)
}
