import type { Seat } from '../clients/cast.ts'
import type { Random } from '../values/random.ts'
import type { Heard, Letter, Return, Stand } from './letters.ts'

/** Whatever is under way between a client and the server. */
export type Sent = Letter | Stand | Return | Heard

/** Whether something goes over a socket. */
export function isLive(item: Sent): boolean {
  return 'frame' in item || item.live
}

/** Anything that is under way, but what goes over a socket comes in its order. */
export function nextOf<T extends Sent>(
  link: T[],
  { random, slowness }: { random: Random; slowness: number },
): T | undefined {
  const fast = random.chance(slowness) ? link.filter((item) => !isLive(item)) : []
  const item = random.pick(fast.length > 0 ? fast : link)
  if (item === undefined) return undefined
  const index = link.findIndex(
    (other) => other === item || (isLive(item) && isLive(other) && other.seat === item.seat),
  )
  return link.splice(index, 1)[0]
}

export function dropOf<T extends Sent>(link: T[], seat: Seat): void {
  link.splice(0, link.length, ...link.filter((item) => item.seat !== seat || !isLive(item)))
}
