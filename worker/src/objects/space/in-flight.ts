import type { Fault } from '../../core/fault.ts'
import { BUSY_RETRY_SECONDS, MAX_IN_FLIGHT_BYTES, MAX_WAITING_BYTES } from '../../core/values/limits.ts'
import { type Result, refused } from '../../core/values/result.ts'

/** How much of the object's memory a request takes while it is served and while it waits, bytes. */
export interface Weight {
  readonly served: number
  readonly waiting: number
}

/** The requests in flight in a space, and the queue of those that wait for memory. */
export interface InFlight {
  /** Serves requests in the order of arrival, each as soon as it fits in memory. Refuses a request if the queue is full too. */
  serve<T>(weight: Weight, work: () => Promise<Result<T, Fault>>): Promise<Result<T, Fault>>
}

interface Waiter {
  readonly weight: Weight
  readonly start: () => void
}

export function inFlight(): InFlight {
  const queue: Waiter[] = []
  let [served, waiting] = [0, 0]

  function hasRoom(bytes: number): boolean {
    return served === 0 || served + bytes <= MAX_IN_FLIGHT_BYTES
  }

  function startNext(): void {
    for (let next = queue[0]; next !== undefined && hasRoom(next.weight.served); next = queue[0]) {
      queue.shift()
      waiting -= next.weight.waiting
      served += next.weight.served
      next.start()
    }
  }

  return {
    async serve(weight, work) {
      if (queue.length === 0 && hasRoom(weight.served)) {
        served += weight.served
      } else {
        if (waiting + weight.waiting > MAX_WAITING_BYTES) {
          return refused({ code: 'busy', retryAfterSeconds: BUSY_RETRY_SECONDS })
        }
        waiting += weight.waiting
        await new Promise<void>((start) => queue.push({ weight, start }))
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
