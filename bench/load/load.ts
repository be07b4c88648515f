import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { ClientOptions } from '../clients/client.ts'
import type { Answer, Task, Work } from './thread.ts'

/** The thread that runs all clients. It does one thing at a time. */
export interface Load {
  /** Connects clients of a module, which stay connected until they are closed. */
  open(module: string, clients: readonly ClientOptions[]): Promise<Clients>
  stop(): Promise<unknown>
}

export interface Clients {
  /** Has each client write a number of batches. */
  fill(batches: number, batch: number): Promise<unknown>
  /** Keeps one batch in flight on each connection. */
  run(batch: number, seconds: number): Promise<Work>
  close(): Promise<unknown>
}

export function startLoad(): Load {
  const thread = new Worker(join(import.meta.dirname, 'thread.ts'))
  let groups = 0

  function ask(task: Task): Promise<Work> {
    const { promise, resolve, reject } = Promise.withResolvers<Work>()
    thread.once('message', (answer: Answer) =>
      'work' in answer ? resolve(answer.work) : reject(new Error(answer.error)),
    )
    thread.postMessage(task)
    return promise
  }

  return {
    async open(module, clients) {
      groups += 1
      const group = groups
      await ask({ do: 'open', group, module, clients })
      return {
        fill: (batches, batch) => ask({ do: 'fill', group, batches, batch }),
        run: (batch, seconds) => ask({ do: 'run', group, batch, seconds }),
        close: () => ask({ do: 'close', group }),
      }
    },
    stop: () => thread.terminate(),
  }
}
