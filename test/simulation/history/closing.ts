import type { Account } from '../checks/account.ts'
import { checkHistory, type Snapshot } from '../checks/final-checks.ts'
import { mergesOf } from '../checks/merges.ts'
import { originsOf } from '../checks/reply-checks.ts'
import { KEYS, newcomer, type Seat, seatOf } from '../clients/cast.ts'
import { Violation } from '../values/violation.ts'
import type { ConflictReport } from '../values/wire.ts'
import type { Host } from './host.ts'
import type { World } from './world.ts'

/** More pages than any feed has. */
const MAX_PAGES = 200

/**
 * Checks that a follower misses nothing. Once the history is quiet, each follower has the latest state, and again
 * after one more write to each collection. Only followers that were told to pull send a request.
 */
export async function listen(world: World<Host>): Promise<void> {
  await world.obey()
  const writer = joining(world, newcomer(world.random, 'writer'))
  for (const key of ['notes/1', 'tasks/1', 'plain']) {
    if (!writer.client.caughtUp) await readAll(world, writer)
    writer.client.edit({ key, value: `last of ${key}`, timestamp: world.now, ...writer.client.baseOf(key) })
    await world.exchange(writer)
    await world.obey()
  }
}

/** Checks the whole history of a world. `others`: the copies of clients that are not in seats. */
export async function closeWorld(world: World<Host>, others: readonly Snapshot[] = []): Promise<void> {
  const { host } = world
  const readers = [joining(world, newcomer(world.random, 'late')), limitedReader(world)]
  for (const seat of readers) await readAll(world, seat)
  world.journal.close()
  const conflicts = await host.conflicts(null)
  const granted = ['notes']
  const pulling = [...world.seats.filter(({ client }) => client.habits.pulls), ...readers]
  checkHistory(accountOf(world, conflicts), {
    handled: world.replies.handled,
    snapshots: world.snapshots,
    final: [...pulling.map((seat) => world.snapshotOf(seat)), ...others],
    conflicts,
    limited: { granted, conflicts: await host.conflicts(granted) },
    histories: await Promise.all(KEYS.map(async (key) => [key, await host.history(key)] as const)),
    resolved: world.resolved,
  })
}

async function readAll(world: World<Host>, seat: Seat): Promise<void> {
  for (let page = 0; page < MAX_PAGES; page++) {
    await world.exchange(seat)
    if (seat.client.caughtUp) return
  }
  throw new Violation('IN1', `${seat.client.habits.id} never comes to the end of the feed`)
}

function accountOf(world: World<Host>, conflicts: readonly ConflictReport[]): Account {
  const { verdicts, journal, asked } = world
  const listed = new Map(conflicts.map((conflict) => [conflict.id, conflict]))
  const { horizon, policies } = world.host
  const { handled } = world.replies
  return {
    verdicts,
    journal,
    listed,
    horizon,
    policies,
    asked,
    merges: mergesOf(journal, handled),
    ...originsOf(handled),
  }
}

/** A reader of one collection that joins now. */
function limitedReader(world: World<Host>): Seat {
  const { client } = newcomer(world.random, 'narrow')
  return joining(world, seatOf({ ...client.habits, granted: ['tasks'] }, world.random))
}

/** The seat with a session of this world: a space refuses those from before its erasure. */
function joining({ began }: World<Host>, seat: Seat): Seat {
  return { ...seat, session: { ...seat.session, issuedAt: began } }
}
