// A thread of its own, so that those who listen do not share one with the cloud's logs.
import { parentPort, Worker, workerData } from 'node:worker_threads'
import { WebSocket } from 'undici'

export interface Audience {
  readonly url: string
  readonly session: string
  readonly listeners: number
  readonly pushes: number
}

/** Of each push, ms: until the writer had its answer, and until the last listener had the change. */
export interface Delivery {
  readonly ack: number
  readonly last: number
}

/** Lets a number of clients follow a space while one of them writes to it, one change after the other. */
export function deliver(audience: Audience): Promise<readonly Delivery[]> {
  const thread = new Worker(import.meta.filename, { workerData: audience })
  return new Promise((resolve, reject) => thread.once('message', resolve).once('error', reject))
}

interface Frame {
  readonly type: string
  readonly cursor: string
  readonly changes: readonly unknown[]
}

async function run({ url, session, listeners, pushes }: Audience): Promise<readonly Delivery[]> {
  let heard = 0
  let done: () => void = () => {}
  const sockets = await Promise.all(
    Array.from({ length: listeners }, () =>
      follow({ url, session }, () => {
        heard += 1
        if (heard === listeners) done()
      }),
    ),
  )
  const deliveries: Delivery[] = []
  for (let round = 0; round < pushes; round++) {
    heard = 0
    const everyone = new Promise<void>((resolve) => {
      done = resolve
    })
    const began = performance.now()
    const answered = write({ url, session }, round).then(() => performance.now() - began)
    await everyone
    const last = performance.now() - began
    deliveries.push({ ack: await answered, last })
  }
  for (const socket of sockets) socket.close()
  return deliveries
}

interface Device {
  readonly url: string
  readonly session: string
}

/** A client that confirms what it hears. */
async function follow({ url, session }: Device, onChanges: () => void): Promise<WebSocket> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/api/live`, ['chronicle.v1', `bearer.${session}`])
  const greeted = Promise.withResolvers<void>()
  socket.onerror = () => greeted.reject(new Error('no socket'))
  socket.onclose = () => greeted.reject(new Error('closed'))
  socket.onmessage = ({ data }) => {
    const { type, cursor, changes } = JSON.parse(data) as Frame
    if (type !== 'changes') throw new Error(`a ${type}`)
    socket.send(JSON.stringify({ type: 'seen', cursor }))
    if (changes.length > 0) onChanges()
    else greeted.resolve()
  }
  await greeted.promise
  return socket
}

async function write({ url, session }: Device, round: number): Promise<void> {
  const value = { title: `Entry ${round}`, body: 'lorem ipsum '.repeat(16) }
  const reply = await fetch(`${url}/api/sync`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${session}` },
    body: JSON.stringify({ changes: [{ key: `n/${round % 50}`, value, timestamp: Date.now() }] }),
  })
  if (reply.status !== 200) throw new Error(`${reply.status}`)
  await reply.text()
}

if (parentPort !== null) parentPort.postMessage(await run(workerData as Audience))
