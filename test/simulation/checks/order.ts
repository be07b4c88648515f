import type { Account } from './account.ts'
import type { Stored } from './journal.ts'

/**
 * Whether an edit is later than its rival. If the current version is a merge by the same client, the rival is the
 * other client's version inside the merge, as long as it is kept (PO6). Undefined if the rival may be dropped, or if
 * the current version may be a merge whose reply was lost.
 */
export function isLater(
  { journal, merges, horizon, sources }: Pick<Account, 'journal' | 'merges' | 'horizon' | 'sources'>,
  head: Stored | undefined,
  edit: Pick<Stored, 'at' | 'by'>,
): boolean | undefined {
  if (head?.by === edit.by && !sources.has(head.seq)) return undefined
  let rival = head
  while (rival !== undefined && rival.by === edit.by && merges.made.has(rival.seq)) {
    const sent = journal.versions.get(rival.previous)
    rival = journal.versions.get(sent?.previous ?? 0)
  }
  if (rival !== undefined && rival !== head && rival.arrived < horizon) return undefined
  return rival === undefined || isBefore(rival, edit)
}

/** The time of a write over a version (CL4): at least the time of that version, and raised no further than now. */
export function raised(at: number, replaced: Stored | undefined, now: number): number {
  if (replaced === undefined || at >= replaced.at) return at
  return Math.max(replaced.at, Math.min(replaced.at + 1, now))
}

/** Last write wins by time, then by client id. The current version wins if both are equal. */
export function isBefore(head: Pick<Stored, 'at' | 'by'>, edit: Pick<Stored, 'at' | 'by'>): boolean {
  return head.at < edit.at || (head.at === edit.at && head.by < edit.by)
}
