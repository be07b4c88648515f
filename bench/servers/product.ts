import { join } from 'node:path'
import { type BuildOptions, build } from 'esbuild'
import { loadAccount, scriptFile } from '../../infra/local/cloud/account.ts'
import { serveAccount } from '../../infra/local/cloud/runtime.ts'
import { startCloud } from '../../infra/local/start-cloud.ts'
import { GENEROUS } from '../../test/support/cloud/cloud.ts'
import { unlimitedBuild } from './build.ts'
import type { Server } from './server.ts'

const here = import.meta.dirname
const CLIENTS = {
  http: join(here, '../clients/device-client.ts'),
  socket: join(here, '../clients/device-socket.ts'),
}

export interface Product extends Server {
  readonly adminToken: string
}

interface Running {
  readonly url: string
  readonly pid: number
  readonly adminToken: string
  readonly stop: () => Promise<void>
}

/** Serves the dev stack like `npm start`, with limits that no load reaches. */
export async function serveProduct(local: string): Promise<Product> {
  const { url, outputs, workerdPid: pid, stop } = await startCloud({ port: 0, local, config: GENEROUS })
  await liftLimits(url, outputs.adminToken)
  return productOf('product', { url, pid, adminToken: outputs.adminToken, stop })
}

/** A stack that can be served again and again, with the data that it has. */
export interface Provisioned {
  serve(): Promise<Product>
}

/** Provisions a dev stack, with a Worker of another build in it. */
export async function provision(
  local: string,
  options: BuildOptions = unlimitedBuild(),
): Promise<Provisioned> {
  const { adminToken, stop } = await serveProduct(local)
  await stop()
  const folder = join(local, 'dev')
  const account = loadAccount(folder)
  const outfile = scriptFile(folder, account.scripts[0]?.name ?? '')
  await build({ ...options, outfile, allowOverwrite: true })
  return {
    async serve() {
      const { port, pid, stop } = await serveAccount({ account, folder, port: 0, onLog: () => {} })
      const running = { url: `http://127.0.0.1:${port}`, pid, adminToken, stop }
      return productOf('product-no-rate-limit', running)
    },
  }
}

/** Serves a new dev stack with rate limits that cost nothing. */
export async function serveUnlimited(local: string): Promise<Product> {
  return (await provision(local)).serve()
}

/** Raises the budgets and quotas of all spaces. */
async function liftLimits(url: string, bearer: string): Promise<void> {
  const headers = { authorization: `Bearer ${bearer}` }
  const config = (await (await fetch(`${url}/api/config`, { headers })).json()) as object
  const requestsPerMinute = { client: 1_000_000, credential: 1_000_000, space: 1_000_000 }
  const quota = { entries: 2_000_000, bytes: 4 * 1024 ** 3 }
  await send('PUT', `${url}/api/config`, { bearer, body: { ...config, requestsPerMinute, quota } })
}

function productOf(name: string, running: Running): Product {
  const { url, adminToken } = running
  const tokens = new Map<string, Promise<string>>()
  const openSession = async (token: string) => (await post(`${url}/api/auth`, '', { token })).session ?? ''
  return {
    ...running,
    name,
    clients: CLIENTS,
    async admit(space) {
      const token = tokens.get(space) ?? mint(url, adminToken, space)
      tokens.set(space, token)
      return openSession(await token)
    },
    async erase(space) {
      const session = await openSession((await tokens.get(space)) ?? '')
      await send('DELETE', `${url}/api/space`, { bearer: session, body: { confirm: space } })
    },
  }
}

async function mint(url: string, adminToken: string, space: string): Promise<string> {
  const scopes = ['sync:read', 'sync:write', 'space:admin']
  const { token = '' } = await post(`${url}/api/tokens`, adminToken, { subject: space, scopes })
  return token
}

function post(url: string, bearer: string, body: object): Promise<Record<string, string>> {
  return send('POST', url, { bearer, body })
}

async function send(
  method: string,
  url: string,
  { bearer, body }: { bearer: string; body: object },
): Promise<Record<string, string>> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${bearer}` }
  const response = await fetch(url, { method, headers, body: JSON.stringify(body) })
  if (!response.ok) throw new Error(await response.text())
  return (await response.json()) as Record<string, string>
}
