import type { Session } from './session.ts'

const RECONNECT_MS = 50

/**
 * Calls `pull` whenever the space may hold something new, one call at a time, and confirms the cursor that it
 * returns. Reopens a lost socket. Returns a function that stops it.
 */
export function follow(session: Session, collection: string, pull: () => Promise<string | null>): () => void {
  let stopped = false
  let socket: WebSocket | undefined
  let work: Promise<unknown> = Promise.resolve()

  function pullAndConfirm(on: WebSocket): void {
    work = work.then(pull).then(
      (cursor) => on.readyState === WebSocket.OPEN && on.send(JSON.stringify({ type: 'seen', cursor })),
      () => on.close(),
    )
  }

  async function connect(): Promise<void> {
    const opened = await session.openSocket(`/api/live?collections=${collection}`)
    if (stopped) return opened.close()
    socket = opened
    // The first frame arrives at once, with the position from which the socket follows.
    opened.addEventListener('message', () => pullAndConfirm(opened))
    opened.addEventListener('close', reconnect)
  }

  function reconnect(): void {
    if (!stopped) setTimeout(() => connect().catch(reconnect), RECONNECT_MS)
  }

  connect().catch(reconnect)
  return () => {
    stopped = true
    socket?.close()
  }
}
