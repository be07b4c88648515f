/** The parts of a device that the client uses. Tests replace parts of it; an app has no need to. */
export interface Platform {
  readonly fetch: typeof globalThis.fetch
  /** Undefined where there are no sockets: the client then asks again and again. */
  readonly WebSocket: (new (url: string, protocols: string[]) => Socket) | undefined
  /** Ms since 1970. */
  readonly now: () => number
  /** From 0 up to 1. */
  readonly random: () => number
  readonly newId: () => string
  /** Calls back after a time in ms. Returns a function that prevents it. */
  readonly after: (ms: number, callback: () => void) => () => void
  /** Undefined where there is one tab only, as in Node. */
  readonly locks: Locks | undefined
  readonly openChannel: ((name: string) => Channel) | undefined
  /** Calls back when the device is online or offline since, and when its page is visible again. */
  readonly onWake: (listener: () => void) => () => void
  readonly isVisible: () => boolean
  /** False if the device knows that it has no network. */
  readonly isOnline: () => boolean
  /** Asks the browser to keep the store when space is short. */
  readonly persist: () => Promise<boolean>
}

/** The part of the browser's locks that the client uses. A lock is held until the promise settles. */
export interface Locks {
  request(name: string, options: LockRequest, hold: () => Promise<void>): Promise<unknown>
}

export interface LockRequest {
  readonly signal?: AbortSignal
  /** Takes the lock from whoever holds it. */
  readonly steal?: boolean
}

/** The part of a WebSocket that the client uses. */
export interface Socket {
  readonly readyState: number
  send(text: string): void
  close(code?: number): void
  addEventListener(type: 'open' | 'error', listener: () => void): void
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void
  addEventListener(
    type: 'close',
    listener: (event: { readonly code: number; readonly reason: string }) => void,
  ): void
}

/** The part of a BroadcastChannel that the client uses. */
export interface Channel {
  postMessage(message: unknown): void
  close(): void
  onmessage: ((event: { readonly data: unknown }) => void) | null
}
