import { type Deferred, deferred } from '../values/deferred.ts'
import type { Platform, Socket } from '../values/platform.ts'
import type { Frame, Problem, SyncReply, SyncRequest } from '../values/wire.ts'
import { confirmationOf } from './confirmation.ts'
import { offline, refused, type Session } from './session.ts'

/** How long a socket may be silent before it is tested, and how long the test may take, ms. */
const SILENCE_MS = 30_000
const PONG_MS = 10_000
/** How long the answer to a push may take, ms. */
const ANSWER_MS = 15_000
const OPEN = 1

export type ChangesFrame = Extract<Frame, { readonly type: 'changes' }>

/** Why a socket ended. */
export interface Ending {
  /** The close code; 1006 for a lost connection. */
  readonly code: number
  readonly reason: string
}

/** Socket that follows the space and carries its pushes. */
export interface Live {
  /** Sends a request like `POST /api/sync`. Rejects with the refusal, or if the socket ends first. */
  exchange(body: SyncRequest): Promise<SyncReply>
  /** Takes the frames that arrived since, in their order; null for one that calls for a pull. */
  frames(): (ChangesFrame | null)[]
  /** Confirms the position of the copy, soon. */
  seen(cursor: string): void
  close(): void
}

export interface LiveOptions {
  readonly url: string
  readonly session: Session
  readonly platform: Platform
  readonly collections: readonly string[] | undefined
  readonly onFrame: () => void
  readonly onEnd: (ending: Ending) => void
}

/** Opens a socket with a ticket. Rejects if that fails; `onEnd` is called only for a socket that was open. */
export async function openLive(options: LiveOptions): Promise<Live> {
  const { url, session, platform, collections } = options
  if (!platform.WebSocket) throw offline('this device has no WebSocket')
  const { ticket } = (await session.request('/api/live/ticket', { method: 'POST', body: {} })) as {
    ticket: string
  }
  const address = new URL('/api/live', url)
  const filter = session.filter(collections)
  if (filter) address.searchParams.set('collections', filter.join(','))
  address.protocol = address.protocol.replace('http', 'ws')
  const socket = new platform.WebSocket(address.href, ['chronicle.v1', `ticket.${ticket}`])
  await opened(socket, platform)
  return liveOver(socket, options)
}

function opened(socket: Socket, { after }: Platform): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = after(PONG_MS, () => {
      socket.close()
      reject(offline('the socket did not open in time'))
    })
    socket.addEventListener('open', () => {
      cancel()
      resolve()
    })
    socket.addEventListener('close', ({ code, reason }) => {
      cancel()
      reject(offline(`the socket closed with ${code} ${reason}`))
    })
  })
}

function liveOver(socket: Socket, { platform, onFrame, onEnd }: LiveOptions): Live {
  const waiting = new Map<string, Deferred<SyncReply>>()
  let inbox: (ChangesFrame | null)[] = []
  let last = 0
  let ended = false
  let stopTimer = () => {}
  const confirmation = confirmationOf(platform, (cursor) => say({ type: 'seen', cursor }))

  function end(ending: Ending): void {
    if (ended) return
    ended = true
    stopTimer()
    confirmation.flush()
    socket.close()
    for (const { reject } of waiting.values()) reject(offline(`the socket closed with ${ending.code}`))
    onEnd(ending)
  }

  /** A connection that died without a word is found by a ping that nothing answers. */
  function watch(): void {
    stopTimer()
    stopTimer = platform.after(SILENCE_MS, () => {
      say({ type: 'ping' })
      stopTimer = platform.after(PONG_MS, () => end({ code: 1006, reason: 'the service is silent' }))
    })
  }

  function say(message: object): void {
    if (socket.readyState === OPEN) socket.send(JSON.stringify(message))
  }

  function take(frame: Frame, length: number): void {
    const page = frame.type === 'ack' ? frame.body : frame
    if (frame.type === 'ack' && frame.status === 200) confirmation.told()
    if ('cursor' in page) confirmation.received(page.cursor, length)
    if (frame.type === 'ack') settle(frame)
    else if (frame.type === 'error') end({ code: 1006, reason: 'the service refused a message' })
    else if (frame.type !== 'pong') {
      inbox.push(frame.type === 'changes' ? frame : null)
      onFrame()
    }
  }

  function settle({ id, status, body }: Extract<Frame, { readonly type: 'ack' }>): void {
    const answer = waiting.get(id)
    waiting.delete(id)
    if (status === 200) {
      // The reply begins at the cursor of the copy, so it holds what the frames before it brought.
      inbox = []
      answer?.resolve(body as SyncReply)
    } else answer?.reject(refused({ ...(body as Problem), status }))
  }

  socket.addEventListener('message', ({ data }) => {
    watch()
    const text = String(data)
    take(JSON.parse(text) as Frame, text.length)
  })
  socket.addEventListener('close', ({ code, reason }) => end({ code, reason }))
  watch()

  return {
    exchange(body) {
      const answer = deferred<SyncReply>()
      if (ended) answer.reject(offline('the socket is closed'))
      else {
        last += 1
        waiting.set(String(last), answer)
        const cancel = platform.after(ANSWER_MS, () => end({ code: 1006, reason: 'a push has no answer' }))
        answer.promise.then(cancel, cancel)
        say({ type: 'push', id: String(last), body })
      }
      return answer.promise
    },
    frames() {
      const frames = inbox
      inbox = []
      return frames
    },
    seen: confirmation.seen,
    close: () => end({ code: 1000, reason: '' }),
  }
}
