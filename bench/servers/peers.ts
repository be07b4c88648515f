import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { build } from 'esbuild'
import { WORKER_BUILD } from '../../infra/program/bundle.ts'
import { serveObject } from './objects.ts'
import type { Server } from './server.ts'

const PEERS = join(import.meta.dirname, '../peers')

/** Whether the packages of the peers are installed. */
export function hasPeers(): boolean {
  return existsSync(join(PEERS, 'node_modules'))
}

/** Serves y-partyserver with a row for each update. */
export function serveYPartyServer(folder: string): Promise<Server> {
  return serveWorker('y-partyserver', folder, ['socket'])
}

/** Serves TinyBase's synchronizer over its persister for the SQL of an object. */
export function serveTinyBase(folder: string): Promise<Server> {
  return serveWorker('tinybase', folder, ['socket'])
}

/** Serves LiveStore's sync backend. */
export async function serveLiveStore(folder: string): Promise<Server> {
  return {
    ...(await serveWorker('livestore', folder, ['http', 'socket'])),
    storesEvents: true,
    oneWriter: true,
  }
}

/** Serves PouchDB's HTTP server over LevelDB, in a Node process. */
export async function servePouchDb(folder: string): Promise<Server> {
  mkdirSync(folder, { recursive: true })
  const child = spawn(process.execPath, [join(PEERS, 'pouchdb/server.js'), folder], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const [port] = await once(createInterface(child.stdout), 'line')
  const url = `http://127.0.0.1:${port}`
  return {
    name: 'pouchdb',
    url,
    pid: child.pid ?? 0,
    clients: clientsOf('pouchdb', ['http']),
    async admit(space) {
      await (await fetch(`${url}/${space}`, { method: 'PUT' })).text()
      return ''
    },
    async erase(space) {
      await (await fetch(`${url}/${space}`, { method: 'DELETE' })).text()
    },
    async stop() {
      child.kill()
      await once(child, 'exit')
    },
  }
}

async function serveWorker(
  name: string,
  folder: string,
  transports: readonly ('http' | 'socket')[],
): Promise<Server> {
  const file = join(folder, `${name}.js`)
  await build({ ...WORKER_BUILD, entryPoints: [join(PEERS, name, 'worker.js')], outfile: file })
  return serveObject({ name, file, clients: clientsOf(name, transports) }, folder)
}

function clientsOf(name: string, transports: readonly ('http' | 'socket')[]): Server['clients'] {
  return Object.fromEntries(
    transports.map((transport) => [transport, join(PEERS, name, `${transport}-client.ts`)]),
  )
}
