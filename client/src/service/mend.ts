import { dropped, released, remedyOf, renamed, renumbered, split } from '../replica/refusal.ts'
import type { Found, Wanted, Writes } from '../store/store.ts'
import { ChronicleError, codeOf, isDomException, messageOf } from '../values/errors.ts'
import type { Problem } from '../values/wire.ts'
import { backoffMs } from './backoff.ts'
import type { Obstacle } from './status.ts'

/** The longest wait that a service may ask for, ms. A timer of a browser is at most 24 days long. */
const LONGEST_WAIT_MS = 3_600_000

interface Mending {
  readonly wanted: Wanted
  readonly decide: (found: Found) => Writes
}

/** The transaction after which a refused batch can be sent in another form; undefined if it has to wait. */
export function mendingOf(
  problem: Problem,
  { term, ids, newId }: { term: number; ids: readonly number[]; newId: () => string },
): Mending | undefined {
  switch (remedyOf(problem)) {
    case 'split':
      return { wanted: { ids }, decide: (found) => split(found, term, problem) }
    case 'drop':
      return { wanted: { ids }, decide: (found) => dropped(found, term, problem) }
    case 'renumber':
      return { wanted: { edits: true, outcomes: true }, decide: (found) => renumbered(found, term, problem) }
    case 'rename':
      return { wanted: {}, decide: (found) => renamed(found, term, newId()) }
    case 'free':
      return { wanted: {}, decide: (found) => released(found, term) }
    default:
      return undefined
  }
}

/** Whether the device may try again. Any other failure is one of the store, or of this code. */
export function isPassing(thrown: unknown): boolean {
  const isStore = isDomException(thrown) && thrown.name !== 'AbortError'
  return !isStore && !['deposed', 'cleared'].includes(codeOf(thrown))
}

/** How long to wait after a failure, ms, and whether the service asked for it. */
export function waitAfter(
  thrown: unknown,
  failures: number,
  random: number,
): { readonly ms: number; readonly isAsked: boolean } {
  const ms = backoffMs(failures, random)
  const seconds = thrown instanceof ChronicleError ? thrown.problem?.retryAfterSeconds : undefined
  if (seconds === undefined) return { ms, isAsked: false }
  const asked = Math.min(seconds * 1000 * (1 + random / 5), LONGEST_WAIT_MS)
  return { ms: Math.max(ms, Math.round(asked)), isAsked: true }
}

export function obstacleOf(thrown: unknown): Obstacle {
  return { code: codeOf(thrown) || 'internal', detail: messageOf(thrown) }
}
