import { WebSocket } from 'undici'
import type { Client, ClientOptions } from './client.ts'
import { confirming } from './confirming.ts'
import { deviceOf, type Results } from './device.ts'
import { entriesOf } from './entries.ts'

/** The beginning of a frame of changes, up to its cursor. A frame is not parsed, because it may be long. */
const CHANGES = /^\{"type":"changes","from":(?:null|"[^"]*"),"cursor":"([^"]*)"/

interface Reply extends Results {
  readonly cursor?: string
  readonly more?: boolean
}

interface Ack {
  readonly type: string
  readonly status?: number
  readonly body?: Reply
}

/**
 * A device that sends its batches on a socket and follows the whole space, as the client package does: a push begins at
 * its cursor, so the reply brings what others have written. It leaves a poke, which asks for a pull, for later.
 */
export async function connect({ url, credential, part, entries }: ClientOptions): Promise<Client> {
  const device = deviceOf(entriesOf(part, entries))
  const socket = new WebSocket(`${url.replace('http', 'ws')}/api/live`, [
    'chronicle.v1',
    `bearer.${credential}`,
  ])
  const confirmation = confirming(socket)
  const opened = Promise.withResolvers<void>()
  let waiting = Promise.withResolvers<string>()
  let cursor = ''
  function move(next: string, length: number): void {
    cursor = next
    confirmation.received(next, length)
    confirmation.seen(next)
  }
  socket.onclose = ({ code }) => {
    const reason = new Error(`the socket closed with ${code}`)
    opened.reject(reason)
    waiting.reject(reason)
  }
  socket.onmessage = ({ data }) => {
    const [, next] = CHANGES.exec(data.slice(0, 300)) ?? []
    if (next !== undefined) {
      move(next, data.length)
      opened.resolve()
    } else if (!data.startsWith('{"type":"poke"')) waiting.resolve(data)
  }
  await opened.promise

  async function exchange(body: string): Promise<Reply> {
    waiting = Promise.withResolvers()
    socket.send(`{"type":"push","id":"push","body":${body}}`)
    const text = await waiting.promise
    const { type, status, body: reply } = JSON.parse(text) as Ack
    if (type !== 'ack' || status !== 200 || reply === undefined) throw new Error(`${type} ${status}`)
    confirmation.told()
    if (reply.cursor !== undefined) move(reply.cursor, text.length)
    return reply
  }

  return {
    async push(size) {
      const body = device.body(size, cursor)
      const began = performance.now()
      const reply = await exchange(body)
      const ms = performance.now() - began
      device.learn(reply)
      return ms
    },
    async catchUp() {
      for (let more = true; more; )
        more = (await exchange(`{"changes":[],"cursor":"${cursor}"}`)).more === true
    },
    async close() {
      socket.close()
    },
  }
}
