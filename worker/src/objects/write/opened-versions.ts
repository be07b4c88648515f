import type { Edit } from '../../core/batch/change.ts'
import { textOf } from '../../core/batch/decide.ts'
import { MAX_OPENED_LENGTH, OPENED_AT_ONCE } from '../../core/values/limits.ts'
import type { Version } from '../../core/values/version.ts'

import { CorruptionError, openVersions } from '../space/log.ts'
import type { Space } from '../space/space.ts'

/** The versions that were opened for a batch; null for one that the log no longer holds. */
export interface OpenedVersions {
  readonly versions: Map<number, Version | null>
  /** The total length of their contents, characters. */
  length: number
}

/**
 * Opens the versions that a batch is decided against, a few at a time. Past `MAX_OPENED_LENGTH` the value of a version is
 * kept only if a change of the batch has the same value, or was made on it: no decision needs more.
 *
 * Throws if one of them was looked for before and is gone: a current version must be in the log.
 */
export async function openMissing(
  space: Space,
  edits: readonly Edit[],
  { opened, missing }: { readonly opened: OpenedVersions; readonly missing: readonly number[] },
): Promise<void> {
  const gone = missing.find((seq) => opened.versions.get(seq) === null)
  if (gone !== undefined) throw new CorruptionError(`version ${gone} is current but not in the log`)
  const byKey = Map.groupBy(edits, ({ key }) => key)
  const seqs = [...new Set(missing)].sort((one, other) => one - other)
  for (let start = 0; start < seqs.length; start += OPENED_AT_ONCE) {
    const group = seqs.slice(start, start + OPENED_AT_ONCE)
    const found = await openVersions(space, group)
    for (const seq of group) {
      const version = found.get(seq)
      opened.versions.set(seq, version === undefined ? null : kept(version, byKey.get(version.key) ?? []))
    }
  }

  function kept(version: Version, changes: readonly Edit[]): Version {
    const text = textOf(version)
    if (opened.length + text.length > MAX_OPENED_LENGTH) {
      const same = changes.flatMap(valuesOf).find((content) => content.text === text)
      return { ...version, value: same?.value }
    }
    opened.length += text.length
    return version
  }
}

/** The values of a change: its own, and the one that it was made on. */
function valuesOf(edit: Edit): readonly Pick<Edit, 'value' | 'text'>[] {
  return edit.assumed === null ? [edit] : [edit, edit.assumed]
}
