import { WebSocket } from 'undici'
import type { Client, ClientOptions } from './client.ts'
import { confirming } from './confirming.ts'
import { deviceOf, type Results } from './device.ts'
import { entriesOf } from './entries.ts'

/** The beginning of a frame of changes, up to its cursor. A frame is not parsed, because it may be long. */
const CHANGES = /^\{"type":"changes","from":(?:null|"[^"]*"),"cursor":"([^"]*)"/

interface Message {
  readonly type: string
  readonly status?: number
  readonly body?: Results
}

/**
 * A device that sends its batches on a socket, which follows the whole space. It confirms what it is sent, and leaves a
 * poke, which asks for a pull, for later.
 */
export async function connect({ url, credential, part, entries }: ClientOptions): Promise<Client> {
  const device = deviceOf(entriesOf(part, entries))
  const socket = await open(`${url.replace('http', 'ws')}/api/live`, credential)
  let waiting = Promise.withResolvers<Message>()
  socket.onclose = ({ code }) => waiting.reject(new Error(`the socket closed with ${code}`))
  const confirmation = confirming(socket)
  socket.onmessage = ({ data }) => {
    const [, cursor] = CHANGES.exec(data.slice(0, 300)) ?? []
    if (cursor !== undefined) {
      confirmation.received(cursor, data.length)
      confirmation.seen(cursor)
    } else if (!data.startsWith('{"type":"poke"')) waiting.resolve(JSON.parse(data))
  }
  return {
    async push(size) {
      const body = device.body(size)
      waiting = Promise.withResolvers()
      const began = performance.now()
      socket.send(`{"type":"push","id":"push","body":${body}}`)
      const { type, status, body: reply } = await waiting.promise
      const ms = performance.now() - began
      if (type !== 'ack' || status !== 200 || reply === undefined) throw new Error(`${type} ${status}`)
      device.learn(reply)
      return ms
    },
    async close() {
      socket.close()
    },
  }
}

async function open(url: string, session: string): Promise<WebSocket> {
  const socket = new WebSocket(url, ['chronicle.v1', `bearer.${session}`])
  const opened = Promise.withResolvers<void>()
  socket.onopen = () => opened.resolve()
  socket.onerror = ({ message }) => opened.reject(new Error(`no socket: ${message}`))
  await opened.promise
  return socket
}
