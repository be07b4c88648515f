import { evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect } from 'vitest'
import type { Listener } from '../../../worker/src/core/feed/listener.ts'
import { examineFrame } from '../setup/witness.ts'
import { call, type Device } from './client.ts'

// The tests read frames as an untyped client does.
// biome-ignore lint/suspicious/noExplicitAny: see above
export type Frame = any

export interface Closing {
  readonly code: number
  readonly reason: string
}

/** Client on a socket, with its frames in order and its end. */
export interface Follower {
  /** Waits for the next frame. Fails after 10 s without a frame. */
  next(): Promise<Frame>
  /** Takes the next frame if one has arrived. */
  poll(): Frame | undefined
  /** Takes all unread frames once none has arrived for a while. */
  rest(): Promise<readonly Frame[]>
  say(message: object | string | ArrayBuffer): void
  seen(cursor: string): void
  close(code?: number, reason?: string): void
  /** Close code and reason, if the socket ended. */
  ended(): Closing | undefined
  /** Waits for the end of the socket. Fails after 10 s. */
  closed(): Promise<Closing>
}

/** Requests a socket as a browser does. */
export function askLive(
  session: string,
  query = '',
  headers: Record<string, string> = {},
): Promise<Response> {
  const offered = { 'sec-websocket-protocol': `chronicle.v1, bearer.${session}` }
  return call(`/api/live${query}`, { headers: { upgrade: 'websocket', ...offered, ...headers } })
}

/** Requests a socket as a client other than a browser, which gets an HTTP reply for a refusal. */
export function askPlainly(session: string, query = ''): Promise<Response> {
  return call(`/api/live${query}`, { headers: { upgrade: 'websocket', authorization: `Bearer ${session}` } })
}

export async function follow({ session }: Pick<Device, 'session'>, query = ''): Promise<Follower> {
  const { status, webSocket } = await askLive(session, query)
  expect(status).toBe(101)
  if (webSocket === null) throw new Error('no socket')
  return followerOn(webSocket)
}

/** Makes a client of an open socket. */
export function followerOn(socket: WebSocket): Follower {
  const frames: Frame[] = []
  let closing: Closing | undefined
  socket.addEventListener('message', ({ data }) => {
    examineFrame(String(data))
    frames.push(JSON.parse(String(data)))
  })
  socket.addEventListener('close', ({ code, reason }) => {
    closing = { code, reason }
  })
  socket.accept()
  return {
    async next() {
      await until(() => frames.length > 0)
      return frames.shift()
    },
    poll: () => frames.shift(),
    async rest() {
      for (let count = -1; count !== frames.length; await pause(60)) count = frames.length
      return frames.splice(0)
    },
    say(message) {
      socket.send(
        typeof message === 'string' || message instanceof ArrayBuffer ? message : JSON.stringify(message),
      )
    },
    seen(cursor) {
      socket.send(JSON.stringify({ type: 'seen', cursor }))
    },
    close: (code, reason) => socket.close(code, reason),
    ended: () => closing,
    async closed() {
      await until(() => closing !== undefined)
      return closing as Closing
    },
  }
}

export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let waited = 0; !(await holds()); waited += 5) {
    if (waited > 10_000) throw new Error('waited in vain')
    await pause(5)
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** Reads the attachments of a space's sockets. */
export function listeners(space: string): Promise<readonly Listener[]> {
  return runInDurableObject(env.CHRONICLE.getByName(space), (_, ctx) =>
    ctx.getWebSockets().map((socket) => socket.deserializeAttachment()),
  )
}

/** Changes the attachments of a space's sockets while its object sleeps. */
export async function changeListeners(
  space: string,
  change: (listener: Listener) => Listener,
): Promise<void> {
  const object = env.CHRONICLE.getByName(space)
  await runInDurableObject(object, (_, ctx) => {
    for (const socket of ctx.getWebSockets())
      socket.serializeAttachment(change(socket.deserializeAttachment()))
  })
  await evictDurableObject(object)
}
