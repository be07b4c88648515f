/** What a device offers to the client. Tests replace parts of it; an app has no need to. */
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
  readonly locks: Pick<LockManager, 'request'> | undefined
  readonly openChannel: ((name: string) => Channel) | undefined
  /** Calls back when the device may be back: it is online again, or its page is visible again. */
  readonly onWake: (listener: () => void) => () => void
  readonly isVisible: () => boolean
  /** Asks the browser to keep the store when space is short. */
  readonly persist: () => Promise<boolean>
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

/** The browser, or Node. */
export function hostPlatform(): Platform {
  const { navigator, document, BroadcastChannel, WebSocket } = globalThis as Partial<typeof globalThis>
  return {
    fetch: (...given) => globalThis.fetch(...given),
    WebSocket: WebSocket as unknown as Platform['WebSocket'],
    now: () => Date.now(),
    random: () => Math.random(),
    newId: newId,
    after(ms, callback) {
      const timer = setTimeout(callback, ms)
      return () => clearTimeout(timer)
    },
    locks: document && navigator?.locks,
    openChannel: document && BroadcastChannel && ((name) => new BroadcastChannel(name) as unknown as Channel),
    onWake: (listener) => listenTo(listener),
    isVisible: () => document?.visibilityState !== 'hidden',
    persist: async () => (await navigator?.storage?.persist?.()) ?? false,
  }
}

/** Works in pages without TLS too, where `crypto.randomUUID` is missing. */
function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

function listenTo(listener: () => void): () => void {
  const { window, document } = globalThis as Partial<typeof globalThis>
  if (!window || !document) return () => {}
  const stops = [
    [window, 'online'],
    [window, 'pageshow'],
    [document, 'visibilitychange'],
    [document, 'resume'],
  ] as const
  for (const [target, event] of stops) target.addEventListener(event, listener)
  return () => {
    for (const [target, event] of stops) target.removeEventListener(event, listener)
  }
}
