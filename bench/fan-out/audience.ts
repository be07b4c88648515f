// Runs the listeners in a thread of their own, apart from the one that reads the logs of the runtimes.
import { parentPort, Worker, workerData } from 'node:worker_threads'
import { WebSocket } from 'undici'
import { confirming } from '../clients/confirming.ts'
import { documentText } from '../clients/entries.ts'
import { type Poster, poster } from '../clients/requests.ts'

/** A space with listeners, to which one client writes changes, one after the other. */
export interface Audience {
  readonly url: string
  readonly space: string
  /** A session of the product; null for the bare broadcast. */
  readonly session: string | null
  readonly listeners: number
  readonly pushes: number
}

/** The delays of one push. */
export interface Delivery {
  /** Until the writer has its acknowledgement. */
  readonly ackMs: number
  /** Until the last listener has the change. */
  readonly lastMs: number
}

/** Measures how soon every listener has each change. */
export function deliver(audience: Audience): Promise<readonly Delivery[]> {
  const thread = new Worker(import.meta.filename, { workerData: audience })
  return new Promise((resolve, reject) => thread.once('message', resolve).once('error', reject))
}

async function run(audience: Audience): Promise<readonly Delivery[]> {
  const { listeners, pushes } = audience
  let heard = 0
  let done: () => void = () => {}
  function hear(): void {
    heard += 1
    if (heard === listeners) done()
  }
  const sockets: WebSocket[] = []
  // Some at a time: the runtime refuses connections that come all at once.
  while (sockets.length < listeners) {
    const next = Math.min(50, listeners - sockets.length)
    sockets.push(...(await Promise.all(Array.from({ length: next }, () => follow(audience, hear)))))
  }
  const writer = writerOf(audience)
  const deliveries: Delivery[] = []
  for (let round = 0; round < pushes; round++) {
    heard = 0
    const everyone = new Promise<void>((resolve) => {
      done = resolve
    })
    const began = performance.now()
    const acknowledged = writer.post(bodyOf(audience, round)).then(() => performance.now() - began)
    await everyone
    const lastMs = performance.now() - began
    deliveries.push({ ackMs: await acknowledged, lastMs })
  }
  for (const socket of sockets) socket.close()
  await writer.close()
  return deliveries
}

/** Opens a socket whose client parses what it is sent. One of the product also confirms it. */
async function follow({ url, space, session }: Audience, onChange: () => void): Promise<WebSocket> {
  const path = session === null ? `/${space}` : '/api/live'
  const protocols = session === null ? [] : ['chronicle.v1', `bearer.${session}`]
  const socket = new WebSocket(url.replace('http', 'ws') + path, protocols)
  const greeted = Promise.withResolvers<void>()
  socket.onerror = () => greeted.reject(new Error('no socket'))
  socket.onclose = ({ code }) => greeted.reject(new Error(`the socket closed with ${code}`))
  if (session === null) {
    socket.onopen = () => greeted.resolve()
    socket.onmessage = ({ data }) => {
      if (JSON.parse(data).key !== undefined) onChange()
    }
  } else {
    const confirmation = confirming(socket)
    socket.onmessage = ({ data }) => {
      const { type, cursor, changes } = JSON.parse(data)
      if (type !== 'changes') throw new Error(`a ${type}`)
      confirmation.received(cursor, data.length)
      confirmation.seen(cursor)
      if (changes.length > 0) onChange()
      else greeted.resolve()
    }
  }
  await greeted.promise
  return socket
}

function writerOf({ url, space, session }: Audience): Poster {
  const headers = { 'content-type': 'application/json' }
  return session === null
    ? poster(url, `/${space}`, headers)
    : poster(url, '/api/sync', { ...headers, authorization: `Bearer ${session}` })
}

function bodyOf({ session }: Audience, round: number): string {
  const key = `n/${round % 50}`
  const time = Date.now()
  // The time as its round, because the same text again would be no change.
  const change = `{"key":"${key}","value":${documentText(key, time + round)},"timestamp":${time}}`
  return session === null ? change : `{"changes":[${change}]}`
}

if (parentPort !== null) parentPort.postMessage(await run(workerData as Audience))
