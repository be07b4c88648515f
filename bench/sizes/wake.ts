import { Client } from 'undici'
import { processorMicros, residentMiB } from '../load/process.ts'
import type { Server } from '../servers/server.ts'
import { spaceOf } from './sizes.ts'

/** A server with data that is started again for each round. */
export interface Restartable {
  readonly name: string
  serve(): Promise<Server>
  /** The path of a request that wakes no object, and of one that reads from the object of a space. */
  readonly paths: { readonly script: string; readonly object: (space: string) => string }
}

/** The first requests to a runtime that has just started, ms. */
export interface ColdStart {
  /** Until the script has answered for the first time. */
  readonly scriptMs: number
  /** The processor time of the runtime from its start until then, µs. */
  readonly scriptCpuMicros: number
  /** Until an object without entries has answered, and then one of each size. */
  readonly objectMs: Readonly<Record<number, number>>
  /** The memory of the runtime after the script has answered, MiB. */
  readonly memoryMiB: number
}

/** Starts a runtime and measures its first requests. `sizes` are those of filled spaces, and 0 for an empty one. */
export async function startCold({ serve, paths }: Restartable, sizes: readonly number[]): Promise<ColdStart> {
  const server = await serve()
  const client = new Client(server.url)
  try {
    // Starts what is not the script: the connection, and the front that answers for a host that nobody serves.
    await time(client, { path: '/', host: 'nobody.example' })
    const scriptMs = await time(client, { path: paths.script })
    const scriptCpuMicros = processorMicros(server.pid)
    const memoryMiB = residentMiB(server.pid)
    // Compiles what the first object of a script needs.
    await askObject(client, server, { path: paths.object, space: 'first' })
    const objectMs: Record<number, number> = {}
    for (const entries of sizes)
      objectMs[entries] = await askObject(client, server, { path: paths.object, space: spaceOf(entries) })
    return { scriptMs, scriptCpuMicros, objectMs, memoryMiB }
  } finally {
    await client.close()
    await server.stop()
  }
}

interface Question {
  readonly path: (space: string) => string
  readonly space: string
}

async function askObject(client: Client, server: Server, { path, space }: Question): Promise<number> {
  const authorization = `Bearer ${await server.admit(space)}`
  return time(client, { path: path(space), authorization })
}

/** How long a request takes, ms. */
async function time(
  client: Client,
  { path, ...headers }: { readonly path: string; readonly host?: string; readonly authorization?: string },
): Promise<number> {
  const began = performance.now()
  const { body } = await client.request({ path, method: 'GET', headers })
  await body.text()
  return performance.now() - began
}
