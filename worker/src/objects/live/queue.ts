import {
  MAX_ALL_QUEUED_LENGTH,
  MAX_LONE_LENGTH,
  MAX_QUEUED_LENGTH,
  MAX_QUEUED_MESSAGES,
} from '../../core/values/socket-limits.ts'

/** The message queues of all sockets. A message is served after the one before it on the same socket. */
export interface Queue {
  /**
   * Queues the work of a message, which begins at once if no message is before it. Returns false and does nothing if too
   * many messages wait.
   */
  enqueue(socket: WebSocket, length: number, work: () => Promise<void>): Promise<void> | false
}

/** The waiting messages of one socket: the end of the last one, their count, and their total length. */
interface SocketQueue {
  last: Promise<void>
  count: number
  length: number
}

export function queue(): Queue {
  const queues = new WeakMap<WebSocket, SocketQueue>()
  let totalLength = 0

  function hasRoom({ count, length }: SocketQueue, more: number): boolean {
    if (count === 0 && more <= MAX_LONE_LENGTH) return true
    return (
      count < MAX_QUEUED_MESSAGES &&
      length + more <= MAX_QUEUED_LENGTH &&
      totalLength + more <= MAX_ALL_QUEUED_LENGTH
    )
  }

  return {
    enqueue(socket, length, work) {
      const waiting = queues.get(socket) ?? { last: Promise.resolve(), count: 0, length: 0 }
      if (!hasRoom(waiting, length)) return false
      queues.set(socket, waiting)
      waiting.count += 1
      waiting.length += length
      totalLength += length
      const turn = waiting.count === 1 ? work() : waiting.last.then(work)
      waiting.last = turn.finally(() => {
        waiting.count -= 1
        waiting.length -= length
        totalLength -= length
      })
      return waiting.last
    },
  }
}
