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
import { defectLine } from '../../core/log-line.ts'
import { utf8Length } from '../../core/values/json.ts'
import { MAX_FRAME_BYTES, MAX_FRAME_ENTRIES } from '../../core/values/socket-limits.ts'

import { formatVersion } from '../../core/values/version.ts'
import { pull } from '../read/pull.ts'
import { withTexts } from '../read/reply.ts'
import type { SpaceState } from '../store/store.ts'
import { feedPositionOf, type Hub, isOver } from './hub.ts'
import { end, isOpen, listenerOf, remember, say } from './socket.ts'

/** Tells those who follow. Both return at once: what is told goes out after the reply of whoever asked. */
export interface Broadcast {
  /** If the space has moved since everyone was told. */
  changed(): void
  /** If the one who follows has something to catch up with. */
  catchUp(listener: Listener): void
}

/** One round at a time: what is committed while one goes on is told in the same one. */
export function broadcastOf(hub: Hub): Broadcast {
  const { space, ctx, env } = hub
  let running = false
  let told: SpaceState | undefined

  async function run(): Promise<void> {
    try {
      await tellAll(hub)
      told = space.state
    } catch (thrown) {
      console.error(defectLine(env, hub.newId(), thrown))
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
      if (space.state !== told && ctx.getWebSockets().length > 0) start()
    },

    catchUp(listener) {
      if (isBehind(listener, space.state)) start()
    },
  }
}

/** Until nobody is behind. Each step brings a socket to the head, tells its client to pull, or closes it. */
async function tellAll(hub: Hub): Promise<void> {
  for (;;) {
    const groups = groupsBehind(hub)
    if (groups.length === 0) return
    for (const group of groups) await tell(hub, group)
  }
}

/** Sockets at one place under one filter: they are told the very same. */
interface Group {
  readonly listener: Listener
  readonly sockets: WebSocket[]
}

function groupsBehind({ ctx, space, clock, answering }: Hub): readonly Group[] {
  const groups = new Map<string, Group>()
  for (const socket of ctx.getWebSockets().filter(isOpen)) {
    const listener = listenerOf(socket)
    if (isStalled(listener, clock())) end(socket, 'stalled')
    else if (isBehind(listener, space.state) && !answering.has(socket)) {
      const name = nameOf(listener)
      const group = groups.get(name) ?? { listener, sockets: [] }
      group.sockets.push(socket)
      groups.set(name, group)
    }
  }
  return [...groups.values()]
}

/** Filters in full: two of one digest must not be told the same. */
function nameOf({ epoch, place, cursor, filter, poked }: Listener): string {
  return JSON.stringify([epoch, place, cursor, filter, poked])
}

async function tell(hub: Hub, { listener, sockets }: Group): Promise<void> {
  const frame = await readFrame(hub, listener).catch((thrown: unknown) => {
    console.error(defectLine(hub.env, hub.newId(), thrown))
    return null
  })
  const name = nameOf(listener)
  for (const socket of sockets) {
    const current = listenerOf(socket)
    // While the frame was read the client may have moved on by itself, or gone.
    if (!isOpen(socket) || nameOf(current) !== name || isOver(hub, socket, current.session)) continue
    if (hub.answering.has(socket)) continue
    if (frame === null) end(socket, 'defect')
    else tellOne(hub, { socket, listener: current }, frame)
  }
}

/** What follows a place; without a text if there is nothing that the client may see, null if it is to be pulled. */
interface LiveFrame {
  readonly to: FeedPosition
  readonly text: string | null
  readonly bytes: number
}

type Told = LiveFrame | 'pull'

async function readFrame({ space }: Hub, listener: Listener): Promise<Told> {
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

/** Changes that lead from one cursor to another. */
export function frameText(from: string | null, cursor: string | null, entries: readonly string[]): string {
  return withTexts({ type: 'changes', from, cursor }, 'changes', entries)
}

/** Says that there is something to pull. */
export function pokeText({ epoch, seq }: SpaceState): string {
  return JSON.stringify({ type: 'poke', head: formatVersion(epoch, seq) })
}

function tellOne(
  { space, clock }: Hub,
  { socket, listener }: { socket: WebSocket; listener: Listener },
  frame: Told,
): void {
  if (frame === 'pull' || !hasRoom(listener, frame.bytes)) {
    remember(socket, pokedNow(listener))
    say(socket, pokeText(space.state))
  } else if (frame.text === null) {
    remember(socket, { ...listener, place: frame.to.place })
  } else {
    remember(socket, sentTo(listener, frame.to, { bytes: frame.bytes, at: clock() }))
    say(socket, frame.text)
  }
}
