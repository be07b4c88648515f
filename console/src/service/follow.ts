import type { Entry, ServerFrame, TicketReply } from '../base/wire.ts'
import { type Reader, readerOf } from './reader.ts'
import { Refusal } from './request.ts'
import { askSpace, RENEWAL_MS } from './space-session.ts'

/** How long a socket may be silent, and how long the first and the longest wait for the next one are, ms. */
const SILENCE_MS = 20_000
const FIRST_WAIT_MS = 500
const LONGEST_WAIT_MS = 30_000
/** Close code for too many messages, after which a client waits for a minute (LV20). */
const TOO_MANY = 4429
const MINUTE_MS = 60_000

/** The state of the attempt to follow a space. */
export type Connection =
  | { readonly state: 'connecting' }
  | { readonly state: 'open' }
  | { readonly state: 'waiting'; readonly reason: string }
  | { readonly state: 'refused'; readonly error: Refusal }

export interface FollowOptions {
  readonly space: string
  readonly onEntries: (entries: readonly Entry[]) => void
  readonly onConnection: (connection: Connection) => void
}

/** Follows a space from now on, over one socket after another. Returns a function that stops. */
export function follow({ space, onEntries, onConnection }: FollowOptions): () => void {
  const reader = readerOf(space, onEntries)
  let failures = 0
  let isStopped = false
  let close = () => {}

  async function connect(): Promise<void> {
    onConnection({ state: 'connecting' })
    try {
      const { ticket } = await askSpace<TicketReply>(space, '/api/live/ticket', { method: 'POST', body: {} })
      if (!isStopped) close = listen(reader, ticket, { onHeard, onEnd })
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      const isPassing = error.status === 0 || error.status === 429 || error.status >= 500
      if (isPassing) again(waitMs(failures++), error.message)
      else if (!isStopped) onConnection({ state: 'refused', error })
    }
  }

  /** A socket that is refused opens too, and closes before its first frame (LV30). */
  function onHeard(): void {
    failures = 0
    onConnection({ state: 'open' })
  }

  function onEnd({ code, reason }: CloseEvent): void {
    again(code === TOO_MANY ? MINUTE_MS : waitMs(failures++), reason)
  }

  function again(ms: number, reason: string): void {
    if (isStopped) return
    reader.rejoin()
    onConnection({ state: 'waiting', reason })
    const timer = setTimeout(() => void connect(), ms)
    close = () => clearTimeout(timer)
  }

  void connect()
  return () => {
    isStopped = true
    close()
  }
}

interface Listening {
  readonly onHeard: () => void
  readonly onEnd: (event: CloseEvent) => void
}

/** Opens a socket with a ticket. Returns a function that closes it. */
function listen(reader: Reader, ticket: string, { onHeard, onEnd }: Listening): () => void {
  const socket = new WebSocket(addressAt(reader.cursor), ['chronicle.v1', `ticket.${ticket}`])
  const close = () => socket.close()
  let work: Promise<void> = Promise.resolve()
  let isHeard = true

  function say(message: object): void {
    if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message))
  }

  async function take(frame: ServerFrame): Promise<void> {
    if (socket.readyState !== WebSocket.OPEN) return
    onHeard()
    if (frame.type !== 'changes' && frame.type !== 'poke') return
    const cursor = await reader.take(frame)
    if (cursor === null) close()
    else say({ type: 'seen', cursor })
  }

  // A connection that died without a word is found by a ping that nothing answers.
  const watch = setInterval(() => {
    if (!isHeard) return close()
    isHeard = false
    say({ type: 'ping' })
  }, SILENCE_MS)
  const renewal = setTimeout(close, RENEWAL_MS)

  socket.addEventListener('message', ({ data }) => {
    isHeard = true
    work = work.then(() => take(JSON.parse(String(data)) as ServerFrame)).catch(close)
  })
  socket.addEventListener('close', (event) => {
    clearInterval(watch)
    clearTimeout(renewal)
    onEnd(event)
  })
  return close
}

function addressAt(cursor: string | null): string {
  const address = new URL('/api/live', location.href)
  if (cursor !== null) address.searchParams.set('cursor', cursor)
  address.protocol = address.protocol.replace('http', 'ws')
  return address.href
}

/** Twice as long after each failure, at random, so that pages that lost the service together return one by one. */
function waitMs(failures: number): number {
  return Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** failures) * (0.5 + Math.random() / 2)
}
