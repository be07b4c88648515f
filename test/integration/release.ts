import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '../..')

/** Commit of the last release. It may still run beside this version, and wrote the data that this version opens. */
export const LAST_RELEASE = '5b523d05225f10c0dd819059da675f3b928e005d'

/** Checkout of the release in a folder of its own. */
export interface Release {
  readonly root: string
  remove(): void
}

/**
 * Checks the last release out of the history of this checkout. Returns null if the history does not reach back to the
 * release, as in a shallow clone. A test must then say that it did not run.
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
