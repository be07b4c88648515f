import type { Listener } from '../../core/feed/listener.ts'

/** The listeners attached to the sockets of a space. */
export interface Listeners {
  of(socket: WebSocket): Listener
  save(socket: WebSocket, listener: Listener): void
}

/**
 * Reads each attachment once while the object is awake, because decoding one takes longer than handling a `seen`. Only
 * this object writes it, so the copy in memory is never behind. The attachment itself is written at each change: it is
 * all that survives hibernation.
 */
export function listeners(): Listeners {
  const decoded = new WeakMap<WebSocket, Listener>()
  return {
    of(socket) {
      const known = decoded.get(socket)
      if (known !== undefined) return known
      // Every socket of a space was accepted by `open`, and its attachment was written by `save`.
      const listener = socket.deserializeAttachment() as Listener
      decoded.set(socket, listener)
      return listener
    },

    save(socket, listener) {
      socket.serializeAttachment(listener)
      decoded.set(socket, listener)
    },
  }
}
