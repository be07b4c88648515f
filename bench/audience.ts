// Runs the listeners in a thread of their own, apart from the one that reads the cloud's logs.
import { parentPort, Worker, workerData } from 'node:worker_threads'
import { WebSocket } from 'undici'

export interface Audience {
  readonly url: string
  readonly session: string
  readonly listeners: number
  readonly pushes: number
}

/** The delays of one push. */
export interface Delivery {
  /** Until the writer has its answer. */
  readonly ackMs: number
  /** Until the last listener has the change. */
  readonly lastMs: number
}

/** Measures a number of clients that follow a space while one of them writes changes to it, one by one. */
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
    const lastMs = performance.now() - began
    deliveries.push({ ackMs: await answered, lastMs })
  }
  for (const socket of sockets) socket.close()
  return deliveries
}

interface Device {
  readonly url: string
  readonly session: string
}

/** Opens a socket that confirms every frame. */
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
