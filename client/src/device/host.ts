import type { Channel, Locks, Platform } from '../values/platform.ts'

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
    locks: document && (navigator?.locks as Locks | undefined),
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
