import type { Edit } from '../../core/batch/change.ts'
import { textOf } from '../../core/batch/decide.ts'
import { MAX_OPENED_LENGTH, OPENED_AT_ONCE } from '../../core/values/limits.ts'
import type { Version } from '../../core/values/version.ts'

import { openVersions } from '../space/log.ts'
import type { Space } from '../space/space.ts'

/** What was opened for a batch; null: the log no longer holds it. */
export interface Opened {
  readonly versions: Map<number, Version | null>
  /** How long the contents are together. */
  length: number
}

/**
 * Opens what a batch is decided against, a few versions at a time. Once it holds much, only what has to be known of a
 * further one is kept: whether a change says the very same, or was made on it.
 */
export async function openFor(
  space: Space,
  edits: readonly Edit[],
  { opened, missing }: { readonly opened: Opened; readonly missing: readonly number[] },
): Promise<void> {
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
      const same = changes.flatMap(namedIn).find((named) => named.text === text)
      return { ...version, value: same?.value }
    }
    opened.length += text.length
    return version
  }
}

/** The values that a change names: its own, and the one that it was made on. */
function namedIn(edit: Edit): readonly Pick<Edit, 'value' | 'text'>[] {
  return edit.assumed === null ? [edit] : [edit, edit.assumed]
}
