import { sameJson, seqOf } from '../values/wire.ts'
import type { Merges } from './account.ts'
import type { Journal } from './journal.ts'
import type { Handled } from './reply-checks.ts'

/** The versions that came of merges, as the replies tell. */
export function mergesOf({ versions }: Journal, handled: readonly Handled[]): Merges {
  const merges = { sent: new Set<number>(), made: new Set<number>() }
  for (const { client, request, reply } of handled) {
    for (const [index, { status, version }] of reply.results.entries()) {
      const merged = status === 'merged' ? versions.get(seqOf(version ?? '')) : undefined
      // One that changed nothing names what stood, whoever wrote that.
      if (merged?.by !== client.id) continue
      const sent = [merged, versions.get(merged.previous)].find(
        (stored) => stored?.by === client.id && sameJson(stored.value, request.changes[index]?.value),
      )
      if (sent !== undefined) merges[sent === merged ? 'sent' : 'made'].add(merged.seq)
    }
  }
  return merges
}
