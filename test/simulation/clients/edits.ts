import type { Random } from '../values/random.ts'
import { type Change, isGranted, type Json } from '../values/wire.ts'
import { clockOf, KEYS, type Seat } from './cast.ts'
import type { Base } from './client.ts'

/** Contents that several clients write, so that equal ones meet. */
const COMMON: readonly Json[] = [
  'x',
  'y',
  null,
  0,
  { a: 1, b: [true] },
  { b: [true], a: 1 },
  JSON.parse('{"__proto__": 1}'),
]
const FIELDS = ['a', 'b', 'c', 'd'] as const
const YEARS = 300_000_000_000

/** Lets a user of a client change a few things in one moment, often one thing several times. */
export function makeEdits(seat: Seat, now: number, random: Random): void {
  const sticks = random.chance(0.3)
  let key = keyFor(seat, random)
  for (let edits = random.between(1, 3); edits > 0; edits--) {
    const change = draft(seat, now, { random, key })
    seat.client.edit(random.chance(0.03) ? spoil(change, random) : change)
    if (!sticks) key = keyFor(seat, random)
  }
}

function keyFor({ client }: Seat, random: Random): string {
  return random.pick(random.chance(0.03) ? KEYS : KEYS.filter((key) => isGranted(client.habits.granted, key)))
}

function draft(seat: Seat, now: number, { random, key }: { random: Random; key: string }): Change {
  return {
    key,
    ...contentFor(seat, key, random),
    timestamp: timeFor(seat, now, random),
    ...baseFor(seat, key, random),
  }
}

function contentFor(seat: Seat, key: string, random: Random): Pick<Change, 'value' | 'deleted'> {
  const value = valueFor(seat, key, random)
  if (!random.chance(0.25)) return { value }
  return random.chance(0.5) ? { deleted: true } : { deleted: true, value }
}

/** Something common, or what the user sees with a field or two of it changed. */
function valueFor(seat: Seat, key: string, random: Random): Json {
  if (random.chance(0.2)) return random.pick(COMMON)
  const visible = seat.client.visible(key)
  const fields = Object.fromEntries(
    Array.from({ length: random.between(1, 2) }, () => [
      random.pick(FIELDS),
      `${seat.client.habits.id}-${seat.edits++}`,
    ]),
  )
  return isObject(visible) ? { ...visible, ...fields } : fields
}

function isObject(value: Json | undefined): value is { readonly [key: string]: Json } {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

function timeFor(seat: Seat, now: number, random: Random): number {
  if (random.chance(0.97)) return clockOf(seat, now)
  return random.pick([0, now, now + YEARS, now - YEARS])
}

function baseFor(seat: Seat, key: string, random: Random): Base {
  const { client } = seat
  if (random.chance(0.04)) return {}
  const old = client.seen.get(key)
  const isStale = client.habits.bases === 'version' && old !== undefined && random.chance(client.habits.lags)
  return isStale ? { base: random.pick(old.slice(-3)) } : client.baseOf(key)
}

/** The same change with something that must reject it. */
function spoil(change: Change, random: Random): Change {
  const { value: _, deleted: __, ...rest } = change
  return random.pick([
    { ...change, key: '' },
    { ...change, key: '/x' },
    { ...change, key: 'a\nb' },
    { ...change, timestamp: -1 },
    { ...change, timestamp: 1.5 },
    rest,
  ])
}
