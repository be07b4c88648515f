import type { Platform } from '@chronicle-sync/client'

/** Switch that takes this device off the network, in all its tabs. */
export interface Network {
  /** The part of the browser that the client uses, and that the switch cuts off. */
  readonly platform: Pick<Platform, 'fetch' | 'WebSocket'>
  readonly subscribe: (listener: () => void) => () => void
  readonly isOff: () => boolean
  readonly turn: (isOff: boolean) => void
}

/** The state of the switch outlives a reload, so that a page can be reloaded while its device is offline. */
export function networkOf(device: string): Network {
  const name = `notes:offline:${device}`
  const sockets = new Set<WebSocket>()
  const listeners = new Set<() => void>()
  const isOff = () => localStorage.getItem(name) !== null

  function changed(): void {
    for (const listener of listeners) listener()
    if (isOff()) for (const socket of sockets) socket.close()
    // The client then tries again at once, as it does when a real network comes back.
    else window.dispatchEvent(new Event('online'))
  }

  class Socket extends WebSocket {
    constructor(url: string, protocols: string[]) {
      if (isOff()) throw new Error('the switch is off')
      super(url, protocols)
      sockets.add(this)
      this.addEventListener('close', () => sockets.delete(this))
    }
  }

  // Another tab of this device has turned the switch.
  window.addEventListener('storage', ({ key }) => key === name && changed())

  return {
    platform: {
      fetch: async (...given) => {
        if (isOff()) throw new TypeError('the switch is off')
        return fetch(...given)
      },
      WebSocket: Socket,
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    isOff,
    turn(off) {
      if (off) localStorage.setItem(name, 'yes')
      else localStorage.removeItem(name)
      changed()
    },
  }
}
