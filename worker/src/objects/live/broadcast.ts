import { formatCursor } from '../../core/feed/cursor.ts'
import {
  type FeedPosition,
  hasRoom,
  isBehind,
  isStalled,
  type Listener,
  pokedNow,
  sentTo,
} from '../../core/feed/listener.ts'
import { utf8Length } from '../../core/values/json.ts'
import { MAX_FRAME_BYTES, MAX_FRAME_ENTRIES } from '../../core/values/socket-limits.ts'

import { formatVersion } from '../../core/values/version.ts'
import { pull } from '../read/pull.ts'
import { withTexts } from '../read/reply.ts'
import type { SpaceState } from '../store/store.ts'
import { endIfOver, feedPositionOf, type Hub } from './hub.ts'
import { endSocket, isOpen, send } from './socket.ts'

/** Sends changes to the sockets that follow the feed. Both methods return at once: the reply to the caller goes out first. */
export interface Broadcast {
  /** Starts a round if the space has changed and somebody is behind. */
  changed(): void
  /** Starts a round if the listener is behind. */
  catchUp(listener: Listener): void
}

/**
 * Runs one round at a time. Changes that are committed during a round are sent in the same round. Each step of it brings
 * sockets up to date, tells their clients to pull, or closes them.
 */
export function broadcastOf(hub: Hub): Broadcast {
  const { space } = hub
  let running = false
  /** The last state for which somebody was looked for who is behind it. */
  let seen: SpaceState | undefined

  async function run(): Promise<void> {
    try {
      // The last look at the sockets and the end of the round are one step, so no change falls between them.
      for (let behind = groupsBehind(hub); behind.length > 0; behind = groupsBehind(hub))
        for (const group of behind) await sendToGroup(hub, group)
    } catch (thrown) {
      seen = undefined
      hub.observer.failed(thrown)
    } finally {
      running = false
    }
  }

  function start(): void {
    if (running) return
    running = true
    setTimeout(run, 0)
  }

  return {
    changed() {
      if (space.state === seen) return
      seen = space.state
      // A device that writes alone is up to date with its own ack.
      if (hasWork(hub)) start()
    },

    catchUp(listener) {
      if (isBehind(listener, space.state)) start()
    },
  }
}

/** The sockets at one position under one filter, with their states. They are sent the same frame. */
type ListenerGroup = Map<WebSocket, Listener>

/** Whether a socket is to be sent something, or closed because its client has stopped confirming. */
function hasWork({ ctx, space, clock, listeners, replying }: Hub): boolean {
  const now = clock()
  return ctx.getWebSockets().some((socket) => {
    if (!isOpen(socket) || replying.has(socket)) return false
    const listener = listeners.of(socket)
    return isBehind(listener, space.state) || isStalled(listener, now)
  })
}

function groupsBehind({ ctx, space, clock, listeners, replying }: Hub): readonly ListenerGroup[] {
  const groups = new Map<string, ListenerGroup>()
  for (const socket of ctx.getWebSockets().filter(isOpen)) {
    const listener = listeners.of(socket)
    if (isStalled(listener, clock())) endSocket(socket, 'stalled')
    else if (isBehind(listener, space.state) && !replying.has(socket)) {
      const key = groupKey(listener)
      const group: ListenerGroup = groups.get(key) ?? new Map()
      groups.set(key, group.set(socket, listener))
    }
  }
  return [...groups.values()]
}

/** Contains whole filters: two filters with the same digest must not share a frame. */
function groupKey({ epoch, place: { seq, scan }, cursor, filter, poked }: Listener): string {
  return `${epoch} ${seq} ${scan} ${cursor} ${poked} ${filter === null ? '' : JSON.stringify(filter)}`
}

async function sendToGroup(hub: Hub, group: ListenerGroup): Promise<void> {
  const [first] = group.values()
  if (first === undefined) return
  const frame = await readFrame(hub, first).catch((thrown: unknown) => {
    hub.observer.failed(thrown)
    return null
  })
  for (const [socket, listener] of group) {
    // While the frame was read, the client may have moved or left. The next step looks at it again.
    if (hub.listeners.of(socket) !== listener || !isOpen(socket) || hub.replying.has(socket)) continue
    if (endIfOver(hub, socket, listener.session)) continue
    if (frame === null) endSocket(socket, 'defect')
    else sendFrame(hub, { socket, listener }, frame)
  }
}

/** The changes after a position. The text is null if the client may see none of them. */
interface LiveFrame {
  readonly to: FeedPosition
  readonly text: string | null
  readonly bytes: number
}

/** Reads the next frame of a listener; `pull` if the changes do not fit in a frame, or the cursor cannot be continued. */
async function readFrame({ space }: Hub, listener: Listener): Promise<LiveFrame | 'pull'> {
  const { epoch, place, filter } = listener
  const cursor = formatCursor(epoch, place, filter)
  const query = { cursor, limit: MAX_FRAME_ENTRIES, collections: filter }
  const pulled = await pull(space, listener.session, { query, wrote: null })
  const to = feedPositionOf(space, pulled.fields.cursor, filter)
  if (to === null || pulled.fields.reset || pulled.fields.more) return 'pull'
  if (pulled.entries.length === 0) return { to, text: null, bytes: 0 }
  const text = frameText(listener.cursor, to.cursor, pulled.entries)
  const bytes = utf8Length(text)
  return bytes > MAX_FRAME_BYTES ? 'pull' : { to, text, bytes }
}

/** The frame with the changes from one cursor to another. */
export function frameText(from: string | null, cursor: string | null, entries: readonly string[]): string {
  return withTexts({ type: 'changes', from, cursor }, 'changes', entries)
}

/** The frame that tells a client to pull. */
export function pokeText({ epoch, seq }: SpaceState): string {
  return JSON.stringify({ type: 'poke', head: formatVersion(epoch, seq) })
}

function sendFrame(
  { space, clock, listeners }: Hub,
  { socket, listener }: { socket: WebSocket; listener: Listener },
  frame: LiveFrame | 'pull',
): void {
  if (frame === 'pull' || !hasRoom(listener, frame.bytes)) {
    listeners.save(socket, pokedNow(listener))
    send(socket, pokeText(space.state))
  } else if (frame.text === null) {
    listeners.save(socket, { ...listener, place: frame.to.place })
  } else {
    listeners.save(socket, sentTo(listener, frame.to, { bytes: frame.bytes, at: clock() }))
    send(socket, frame.text)
  }
}
