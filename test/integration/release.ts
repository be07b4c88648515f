import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '../..')

/** The last release: what may still run beside this version, and what wrote the data that this version opens. */
const LAST_RELEASE = '5b523d05225f10c0dd819059da675f3b928e005d'

/** The project as it was released, in a folder of its own. */
export interface Release {
  readonly root: string
  remove(): void
}

/**
 * Takes the last release out of the history of this checkout. Null where the history does not reach back to it, as in
 * a shallow clone: a test must then say that it did not run.
 */
export function lastRelease(): Release | null {
  const archive = spawnSync('git', ['archive', LAST_RELEASE], { cwd: ROOT, maxBuffer: 64 * 1024 * 1024 })
  if (archive.status !== 0) return null
  const root = mkdtempSync(join(tmpdir(), 'chronicle-release-'))
  const unpacked = spawnSync('tar', ['-x', '-C', root], { input: archive.stdout })
  if (unpacked.status !== 0) throw new Error(String(unpacked.stderr))
  symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'))
  return { root, remove: () => rmSync(root, { recursive: true, force: true }) }
}
