import type { Channel, Locks, Platform } from '../values/platform.ts'

/** The browser, or Node, with the parts that an app or a test replaces. */
export function hostPlatform(replaced: Partial<Platform> = {}): Platform {
  const { navigator, document, BroadcastChannel, WebSocket } = globalThis as Partial<typeof globalThis>
  // Only a store in the browser is shared with other tabs and workers.
  const isShared = 'indexedDB' in globalThis
  return {
    fetch: (...given) => globalThis.fetch(...given),
    WebSocket: WebSocket as unknown as Platform['WebSocket'],
    now: () => Date.now(),
    random: () => Math.random(),
    newId,
    after(ms, callback) {
      const timer = setTimeout(callback, ms)
      return () => clearTimeout(timer)
    },
    locks: isShared ? (navigator?.locks as Locks | undefined) : undefined,
    openChannel: isShared && BroadcastChannel ? openChannel : undefined,
    onWake: listenTo,
    isVisible: () => document?.visibilityState !== 'hidden',
    isOnline: () => navigator?.onLine !== false,
    persist: async () => (await navigator?.storage?.persist?.()) ?? false,
    ...replaced,
  }
}

/** Works in pages without TLS too, where `crypto.randomUUID` is missing. */
function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** A frozen page still gets messages. A transaction that it began then would not end, and hold up those of all tabs. */
function openChannel(name: string): Channel {
  const channel = new BroadcastChannel(name)
  const closing = new AbortController()
  const own: Channel = {
    onmessage: null,
    postMessage: (message) => channel.postMessage(message),
    close() {
      closing.abort()
      channel.close()
    },
  }
  let held: MessageEvent[] | undefined
  channel.onmessage = (event) => (held ? held.push(event) : own.onmessage?.(event))
  const options = { signal: closing.signal }
  const { document } = globalThis as Partial<typeof globalThis>
  document?.addEventListener('freeze', () => (held = []), options)
  document?.addEventListener(
    'resume',
    () => {
      const waiting = held ?? []
      held = undefined
      for (const event of waiting) own.onmessage?.(event)
    },
    options,
  )
  return own
}

function listenTo(listener: () => void): () => void {
  const { window, document } = globalThis as Partial<typeof globalThis>
  if (!window || !document) return () => {}
  const stops = [
    [window, 'online'],
    [window, 'offline'],
    [window, 'pageshow'],
    [document, 'visibilitychange'],
    [document, 'resume'],
  ] as const
  for (const [target, event] of stops) target.addEventListener(event, listener)
  return () => {
    for (const [target, event] of stops) target.removeEventListener(event, listener)
  }
}
