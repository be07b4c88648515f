import { WebSocket } from 'undici'
import { confirming } from '../clients/confirming.ts'
import { learn, type Results } from '../clients/device.ts'
import type { CountedService } from './service.ts'

/** A device that edits as a good client does: numbered batches, and the base of each change. */
export interface Device {
  /** Pushes an edit of each key, and waits for the reply. */
  push(keys: readonly string[]): Promise<void>
  /** Waits until everything that the device was sent is confirmed up to a version. */
  reached(version: number): Promise<void>
  /** Ends the device, once it has taken what it was sent. */
  close(): Promise<void>
}

/** The versions that the devices of a space know, by key. */
export type Bases = Map<string, string>

interface Reply extends Results {
  readonly cursor?: string
}

/** Makes the next batch of a device. */
function batchMaker(bases: Bases): (keys: readonly string[]) => object {
  let batch = 0
  return (keys) => {
    batch += 1
    const timestamp = Date.now()
    const changes = keys.map((key) => {
      return { key, value: documentOf(key, batch), timestamp, base: bases.get(key) ?? null }
    })
    return { batch, clientTime: timestamp, changes }
  }
}

/** A device that pushes over HTTP. `pulls`: each push also pulls what others have written. */
export async function httpDevice(
  service: CountedService,
  token: string,
  { bases, pulls }: { readonly bases: Bases; readonly pulls: boolean },
): Promise<Device> {
  const { session } = await service.post('/api/auth', '', { token })
  const makeBatch = batchMaker(bases)
  let cursor: string | null = null
  return {
    async push(keys) {
      const body = { ...makeBatch(keys), ...(pulls && { cursor }) }
      const reply = (await service.post('/api/sync', String(session), body)) as unknown as Reply
      learn(bases, reply)
      cursor = reply.cursor ?? null
    },
    reached: () => Promise.resolve(),
    close: () => Promise.resolve(),
  }
}

type Frame =
  | { readonly type: 'changes'; readonly cursor: string }
  | { readonly type: 'poke' }
  | { readonly type: 'ack'; readonly status: number; readonly body: Reply }

/** A device that pushes on a socket, and confirms what it is sent. It pulls when it is told to. */
export async function socketDevice(service: CountedService, token: string, bases: Bases): Promise<Device> {
  const { session } = await service.post('/api/auth', '', { token })
  const socket = new WebSocket(`${service.url.replace('http', 'ws')}/api/live`, [
    'chronicle.v1',
    `bearer.${session}`,
  ])
  const confirmation = confirming(socket)
  const makeBatch = batchMaker(bases)
  let cursor = ''
  let acknowledge: (reply: Reply) => void = () => {}
  let moved: () => void = () => {}
  const opened = Promise.withResolvers<void>()

  async function pullAll(): Promise<void> {
    for (let more = true; more; ) {
      const page = await service.get(`/api/changes?cursor=${encodeURIComponent(cursor)}`, String(session))
      cursor = String(page.cursor)
      more = page.more === true
    }
  }

  async function take(frame: Frame, length: number): Promise<void> {
    if (frame.type === 'ack') {
      if (frame.status !== 200) throw new Error(JSON.stringify(frame))
      return acknowledge(frame.body)
    }
    if (frame.type === 'changes') {
      cursor = frame.cursor
      confirmation.received(cursor, length)
    } else await pullAll()
    confirmation.seen(cursor)
    opened.resolve()
    moved()
  }

  let work = Promise.resolve()
  socket.addEventListener('message', ({ data }) => {
    const text = String(data)
    work = work.then(() => take(JSON.parse(text), text.length))
  })
  socket.addEventListener('close', ({ reason }) =>
    opened.reject(new Error(`the socket was closed: ${reason}`)),
  )
  await opened.promise

  return {
    async push(keys) {
      const { promise, resolve } = Promise.withResolvers<Reply>()
      acknowledge = resolve
      socket.send(JSON.stringify({ type: 'push', id: 'edit', body: makeBatch(keys) }))
      learn(bases, await promise)
    },
    async reached(version) {
      while (seqOf(cursor) < version) await new Promise<void>((resolve) => (moved = resolve))
    },
    close() {
      socket.close(1000)
      return work
    },
  }
}

/** The sequence number in a version or cursor. */
export function seqOf(text: string): number {
  return Number(text.split('.')[1]?.replace(/\D.*/, ''))
}

/** A document of about 250 bytes. */
function documentOf(key: string, batch: number): object {
  return { id: key, title: `Entry ${batch}`, tags: ['a', 'b'], done: true, body: 'lorem ipsum '.repeat(13) }
}
