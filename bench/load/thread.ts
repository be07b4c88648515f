// Runs the clients in a thread of their own, apart from the one that reads the logs of the runtimes.
import { parentPort } from 'node:worker_threads'
import type { Client, ClientModule, ClientOptions } from '../clients/client.ts'

/** Connects clients, has them write a number of batches, keeps them busy, or closes them. `group` names the clients. */
export type Task =
  | {
      readonly do: 'open'
      readonly group: number
      readonly module: string
      readonly clients: readonly ClientOptions[]
    }
  | { readonly do: 'fill'; readonly group: number; readonly batches: number; readonly batch: number }
  | { readonly do: 'run'; readonly group: number; readonly batch: number; readonly seconds: number }
  | { readonly do: 'close'; readonly group: number }

/** The work of the clients: how long each acknowledgement took, ms, and how long they all worked together. */
export interface Work {
  readonly latencies: readonly number[]
  readonly seconds: number
}

export type Answer = { readonly work: Work } | { readonly error: string }

const groups = new Map<number, readonly Client[]>()
const NOTHING: Work = { latencies: [], seconds: 0 }

async function perform(task: Task): Promise<Work> {
  const clients = groups.get(task.group) ?? []
  if (task.do === 'run') return run(clients, task)
  if (task.do === 'fill') {
    await Promise.all(clients.map((client) => fill(client, task)))
    await Promise.all(clients.map((client) => client.catchUp?.()))
  } else if (task.do === 'open') {
    const { connect } = (await import(task.module)) as ClientModule
    groups.set(task.group, await Promise.all(task.clients.map((client) => connect(client))))
  } else {
    await Promise.all(clients.map((client) => client.close()))
    groups.delete(task.group)
  }
  return NOTHING
}

async function fill(client: Client, { batches, batch }: { batches: number; batch: number }): Promise<void> {
  for (let count = 0; count < batches; count++) await client.push(batch)
}

/** Keeps one batch in flight on each connection. */
async function run(
  clients: readonly Client[],
  { batch, seconds }: { batch: number; seconds: number },
): Promise<Work> {
  const latencies: number[] = []
  const began = performance.now()
  const end = began + seconds * 1000
  async function keepPushing(client: Client): Promise<void> {
    while (performance.now() < end) latencies.push(await client.push(batch))
  }
  await Promise.all(clients.map(keepPushing))
  return { latencies, seconds: (performance.now() - began) / 1000 }
}

parentPort?.on('message', (task: Task) => {
  perform(task).then(
    (work) => parentPort?.postMessage({ work } satisfies Answer),
    (cause: Error) => parentPort?.postMessage({ error: cause.stack ?? String(cause) } satisfies Answer),
  )
})
