import type { Fault } from '../../core/fault.ts'
import { BUSY_RETRY_SECONDS, MAX_IN_FLIGHT_BYTES, MAX_WAITING_BYTES } from '../../core/values/limits.ts'
import { type Result, refused } from '../../core/values/result.ts'

/** What a request takes of the object's memory while it is served, and while it waits for that; bytes. */
export interface Weight {
  readonly served: number
  readonly waiting: number
}

/** The requests of a space that are being served, and the line of those that wait until there is room for them. */
export interface InFlight {
  /** Serves a request as soon as there is room for it, in the order of coming; refuses it if the line has no room either. */
  serve<T>(weight: Weight, work: () => Promise<Result<T, Fault>>): Promise<Result<T, Fault>>
}

interface Waiter {
  readonly weight: Weight
  readonly start: () => void
}

/** In memory only, like what it counts. */
export function inFlight(): InFlight {
  const line: Waiter[] = []
  let [served, waiting] = [0, 0]

  function hasRoom(bytes: number): boolean {
    return served === 0 || served + bytes <= MAX_IN_FLIGHT_BYTES
  }

  function startNext(): void {
    for (let next = line[0]; next !== undefined && hasRoom(next.weight.served); next = line[0]) {
      line.shift()
      waiting -= next.weight.waiting
      served += next.weight.served
      next.start()
    }
  }

  return {
    async serve(weight, work) {
      if (line.length === 0 && hasRoom(weight.served)) {
        served += weight.served
      } else {
        if (waiting + weight.waiting > MAX_WAITING_BYTES) {
          return refused({ code: 'busy', retryAfterSeconds: BUSY_RETRY_SECONDS })
        }
        waiting += weight.waiting
        await new Promise<void>((start) => line.push({ weight, start }))
      }
      try {
        return await work()
      } finally {
        served -= weight.served
        startNext()
      }
    },
  }
}
