import type { Account } from './account.ts'
import type { Stored } from './journal.ts'

/**
 * Whether an edit is later than what it competes with: in its client's own merge, the other client's version that is
 * inside, for as long as that is kept (PO6). Undefined where it may be gone, or the head may be a merge of which nobody was
 * told.
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

/** The time of a write over a version (CL4): not from before it, and not past now because of it. */
export function raised(at: number, replaced: Stored | undefined, now: number): number {
  if (replaced === undefined || at >= replaced.at) return at
  return Math.max(replaced.at, Math.min(replaced.at + 1, now))
}

/** Last write wins: time, then client; the incumbent keeps a tie of both. */
export function isBefore(head: Pick<Stored, 'at' | 'by'>, edit: Pick<Stored, 'at' | 'by'>): boolean {
  return head.at < edit.at || (head.at === edit.at && head.by < edit.by)
}
