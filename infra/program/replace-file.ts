import { renameSync, writeFileSync } from 'node:fs'

/** Writes a file atomically, so that no process ever reads half of it. */
export function replaceFile(path: string, contents: string | Uint8Array): void {
  const draft = `${path}.${process.pid}.new`
  writeFileSync(draft, contents)
  renameSync(draft, path)
}
