// Runs the load in a thread of its own, apart from the one that reads the cloud's logs.
import { parentPort, Worker, workerData } from 'node:worker_threads'
import { Client } from 'undici'
import { bareSender, deviceSender, type Keys, type Sender } from './senders.ts'

export interface Load {
  readonly url: string
  readonly path: string
  /** Sessions of the sending devices; null for the bare object. */
  readonly sessions: readonly string[] | null
  readonly connections: number
  readonly batch: number
  readonly keys: Keys
  readonly seconds: number
}

/** Keeps one request in flight on each connection. Returns the answered requests per second. */
export function measure(load: Load): Promise<number> {
  const thread = new Worker(import.meta.filename, { workerData: load })
  return new Promise((resolve, reject) => thread.once('message', resolve).once('error', reject))
}

async function run(load: Load): Promise<number> {
  const began = performance.now()
  const end = began + load.seconds * 1000
  const parts = Array.from({ length: load.connections }, (_, part) => keepSending(load, { part, end }))
  const answered = (await Promise.all(parts)).reduce((sum, count) => sum + count, 0)
  return answered / ((performance.now() - began) / 1000)
}

async function keepSending(load: Load, { part, end }: { part: number; end: number }): Promise<number> {
  const client = new Client(load.url)
  const sender = senderOf(load, part)
  let count = 0
  while (performance.now() < end) {
    const { headers } = sender
    const reply = await client.request({ path: load.path, method: 'POST', headers, body: sender.body() })
    const text = await reply.body.text()
    if (reply.statusCode !== 200) throw new Error(`${reply.statusCode}: ${text.slice(0, 300)}`)
    sender.learn(text)
    count += 1
  }
  await client.close()
  return count
}

function senderOf({ sessions, connections, batch, keys }: Load, part: number): Sender {
  const share = { part, parts: connections }
  return sessions === null
    ? bareSender(share, batch)
    : deviceSender(sessions[part] ?? '', share, { batch, keys })
}

if (parentPort !== null) parentPort.postMessage(await run(workerData as Load))
