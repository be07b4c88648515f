import { copyFileSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { loadAccount, type Script, scriptFile } from '../../infra/local/cloud/account.ts'
import { serveAccount } from '../../infra/local/cloud/runtime.ts'
import type { Server } from './server.ts'

/** A script with one Durable Object class, `Space`. */
export interface ObjectScript {
  readonly name: string
  /** One module without imports of files. */
  readonly file: string
  readonly clients: Server['clients']
  readonly compatibilityFlags?: readonly string[]
}

/** Serves a script in the same runtime as the product, behind the same front. */
export async function serveObject(
  { name, file, clients, compatibilityFlags = [] }: ObjectScript,
  folder: string,
): Promise<Server> {
  const target = scriptFile(folder, name)
  mkdirSync(dirname(target), { recursive: true })
  copyFileSync(file, target)
  const script: Script = {
    name,
    compatibilityDate: '2026-10-20',
    compatibilityFlags,
    bindings: [{ name: 'SPACE', type: 'durable_object_namespace', className: 'Space' }],
    classes: { Space: name },
    createdOn: '',
    modifiedOn: '',
    etag: '',
    migrationTag: '',
    workersDev: true,
  }
  const account = { ...loadAccount(folder), scripts: [script] }
  const { port, pid, stop } = await serveAccount({ account, folder, port: 0, onLog: () => {} })
  return { name, url: `http://127.0.0.1:${port}`, pid, clients, stop, admit: () => Promise.resolve('') }
}

const here = import.meta.dirname
const plain = { http: join(here, '../clients/plain-client.ts') }

/** Serves the naive object: one statement for each change. */
export function serveBare(folder: string): Promise<Server> {
  return serveObject({ name: 'bare', file: join(here, 'bare.js'), clients: plain }, folder)
}

/** Serves the careful object: one statement for a batch. */
export function serveCareful(folder: string): Promise<Server> {
  return serveObject({ name: 'careful', file: join(here, 'careful.js'), clients: plain }, folder)
}

/** Serves the bare broadcast, whose clients are those of the fan-out. */
export function serveBroadcast(folder: string): Promise<Server> {
  return serveObject({ name: 'broadcast', file: join(here, 'broadcast.js'), clients: {} }, folder)
}
