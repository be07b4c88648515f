import {
  MAX_ALL_QUEUED_LENGTH,
  MAX_LONE_LENGTH,
  MAX_QUEUED_LENGTH,
  MAX_QUEUED_MESSAGES,
} from '../../core/values/socket-limits.ts'

/** The messages of sockets, each dealt with after the one before it of the same socket. */
export interface Queue {
  /** False where too many wait: the message is not taken. */
  take(socket: WebSocket, length: number, work: () => Promise<void>): Promise<void> | false
}

/** What waits of one socket, and the end of the last of it. */
interface Turns {
  last: Promise<void>
  count: number
  length: number
}

export function queue(): Queue {
  const turns = new WeakMap<WebSocket, Turns>()
  let all = 0

  function hasRoom({ count, length }: Turns, more: number): boolean {
    if (count === 0 && more <= MAX_LONE_LENGTH) return true
    return (
      count < MAX_QUEUED_MESSAGES && length + more <= MAX_QUEUED_LENGTH && all + more <= MAX_ALL_QUEUED_LENGTH
    )
  }

  return {
    take(socket, length, work) {
      const waiting = turns.get(socket) ?? { last: Promise.resolve(), count: 0, length: 0 }
      if (!hasRoom(waiting, length)) return false
      turns.set(socket, waiting)
      waiting.count += 1
      waiting.length += length
      all += length
      waiting.last = waiting.last.then(work).finally(() => {
        waiting.count -= 1
        waiting.length -= length
        all -= length
      })
      return waiting.last
    },
  }
}
