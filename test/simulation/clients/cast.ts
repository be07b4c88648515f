import type { Session } from '../../../worker/src/core/access/session.ts'
import type { Random } from '../values/random.ts'
import type { Request } from '../values/wire.ts'
import { type Habits, OfflineClient } from './client.ts'

const HOUR = 3_600_000

/** When histories begin, ms since 1970. */
export const START = 1_790_000_000_000

/** The keys that everybody writes: few, so that they meet. */
export const KEYS = [
  'notes/1',
  'notes/2',
  'notes/3',
  'tasks/1',
  'tasks/2',
  'tasks/a/b',
  'plain',
  '__proto__',
] as const

/** A client on its device, with a wrong clock and a session. */
export interface Seat {
  readonly client: OfflineClient
  readonly session: Session
  /** Its clock: how far ahead it is, and how much more of that each millisecond brings. */
  ahead: number
  readonly drift: number
  /** Counts requests sent: an answer to an older one is no answer any more. */
  attempt: number
  /** Counts what its user wrote: no two contents are the same by accident. */
  edits: number
  /** The request whose answer it waits for. */
  open: Request | null
  /** Whether that went over its socket. */
  live: boolean
}

export function clockOf(seat: Seat, now: number): number {
  return Math.max(0, Math.round(now + seat.ahead + (now - START) * seat.drift))
}

/** Between four and eight clients of one space, of every sort; `narrow`: most of them read little at a time. */
export function castOf(random: Random, narrow: boolean): readonly Seat[] {
  return Array.from({ length: random.between(4, 8) }, (_, index) =>
    seatOf(habitsOf(random, { index, narrow }), random),
  )
}

export function seatOf(habits: Habits, random: Random): Seat {
  return {
    client: new OfflineClient(habits),
    session: sessionOf(habits),
    ahead: random.chance(0.5) ? 0 : random.between(-5 * HOUR, 5 * HOUR),
    drift: random.chance(0.5) ? 0 : (random.next() - 0.5) / 20,
    attempt: 0,
    edits: 0,
    open: null,
    live: false,
  }
}

function habitsOf(random: Random, { index, narrow }: { index: number; narrow: boolean }): Habits {
  const granted = random.chance(0.2) ? [random.pick(['notes', 'tasks']), 'default'] : null
  const asks = random.chance(narrow ? 0.6 : 0.15) ? [granted?.[0] ?? 'notes'] : undefined
  const pulls = random.chance(0.85)
  const limit = random.chance(0.6) ? random.between(1, narrow ? 2 : 6) : undefined
  // It knows the founding API and the time, and nothing more.
  const isPlain = random.chance(0.1)
  return {
    id: `c${index}`,
    subject: `s${index % 3}`,
    granted,
    ...(asks !== undefined && { asks }),
    pulls,
    reads: pulls || random.chance(0.5),
    numbers: !isPlain && random.chance(0.7),
    bases: isPlain ? 'never' : random.pick(['version', 'version', 'version', 'value', 'never'] as const),
    lags: random.chance(0.3) ? 0.4 : 0.02,
    keepsTombstones: random.chance(0.5),
    tellsTime: isPlain || random.chance(0.5),
    ...(limit !== undefined && { limit }),
  }
}

/** A reader of everything that comes late and holds nothing. */
export function newcomer(random: Random, id: string): Seat {
  const habits = {
    id,
    subject: 's0',
    granted: null,
    pulls: true,
    reads: true,
    numbers: true,
    bases: 'version' as const,
    lags: 0,
    keepsTombstones: true,
    tellsTime: false,
  }
  return seatOf({ ...habits, limit: random.between(1, 9) }, random)
}

function sessionOf({ id, subject, granted, reads }: Habits): Session {
  const scopes = reads ? (['sync:read', 'sync:write'] as const) : (['sync:write'] as const)
  return {
    id: `session-${id}`,
    token: `token-${id}`,
    subject,
    space: 'space',
    client: id,
    scopes,
    collections: granted,
    issuedAt: START,
    expiresAt: START,
  }
}
