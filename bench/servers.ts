import { copyFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { type Account, loadAccount, type Script, scriptFile } from '../infra/local/cloud/account.ts'
import { serveAccount } from '../infra/local/cloud/runtime.ts'
import { startCloud } from '../infra/local/start-cloud.ts'
import { type Alteration, altering } from '../test/support/alter.ts'
import { allowMuch, GENEROUS } from '../test/support/cloud/cloud.ts'

const here = import.meta.dirname

/** A server under load. */
export interface Server {
  readonly url: string
  readonly stop: () => Promise<void>
}

export interface Product extends Server {
  readonly adminToken: string
  /** The process id of the runtime. */
  readonly pid: number
}

/** Serves the dev stack like `npm start`, with limits that no load reaches. */
export async function serveProduct(local: string): Promise<Product> {
  const { url, outputs, workerdPid, stop } = await startCloud({ port: 0, local, config: GENEROUS })
  await allowMuch({ url, outputs })
  return { url, adminToken: outputs.adminToken, pid: workerdPid, stop }
}

/** Provisions a dev stack and serves it with rate limits that cost nothing, and with lines of its sources altered. */
export async function serveUnlimited(
  local: string,
  alterations: readonly Alteration[] = [],
): Promise<Product> {
  const { adminToken, stop } = await serveProduct(local)
  await stop()
  const folder = join(local, 'dev')
  const account = loadAccount(folder)
  const name = account.scripts[0]?.name ?? ''
  await build({
    entryPoints: [join(here, 'unlimited.ts')],
    outfile: scriptFile(folder, name),
    allowOverwrite: true,
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2024',
    conditions: ['workerd', 'worker', 'browser'],
    external: ['cloudflare:*'],
    plugins: [altering(alterations)],
  })
  const { port, pid, stop: stopAgain } = await serveAccount({ account, folder, port: 0, onLog: () => {} })
  return { url: `http://127.0.0.1:${port}`, adminToken, pid, stop: stopAgain }
}

/** Serves the bare Durable Object behind the same front. */
export async function serveBare(folder: string): Promise<Server> {
  mkdirSync(join(folder, 'scripts'), { recursive: true })
  copyFileSync(join(here, 'bare.js'), scriptFile(folder, 'bare'))
  const bare: Script = {
    name: 'bare',
    compatibilityDate: '2026-10-20',
    compatibilityFlags: [],
    bindings: [{ name: 'BARE', type: 'durable_object_namespace', className: 'Bare' }],
    classes: { Bare: 'bare' },
    createdOn: '',
    modifiedOn: '',
    etag: '',
    migrationTag: '',
    workersDev: true,
  }
  return serve({ ...loadAccount(folder), scripts: [bare] }, folder)
}

async function serve(account: Account, folder: string): Promise<Server> {
  const { port, stop } = await serveAccount({ account, folder, port: 0, onLog: () => {} })
  return { url: `http://127.0.0.1:${port}`, stop }
}
