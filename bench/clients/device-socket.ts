import { WebSocket } from 'undici'
import type { Client, ClientOptions } from './client.ts'
import { deviceOf, type Reply } from './device.ts'
import { collectionOf, entriesOf } from './entries.ts'

interface Message {
  readonly type: string
  readonly cursor?: string | null
  readonly status?: number
  readonly body?: Reply & { readonly cursor?: string | null }
}

/** A device that sends its batches on a socket, which follows its own entries only. */
export async function connect({ url, credential, part, entries }: ClientOptions): Promise<Client> {
  const device = deviceOf(entriesOf(part, entries))
  const socket = await open(
    `${url.replace('http', 'ws')}/api/live?collections=${collectionOf(part)}`,
    credential,
  )
  let waiting = Promise.withResolvers<Message>()
  socket.onclose = ({ code }) => waiting.reject(new Error(`the socket closed with ${code}`))
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(data) as Message
    if (message.type === 'changes') socket.send(JSON.stringify({ type: 'seen', cursor: message.cursor }))
    // A poke asks for a pull, which this device leaves for later.
    else if (message.type !== 'poke') waiting.resolve(message)
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
