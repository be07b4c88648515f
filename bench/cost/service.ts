import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { loadAccount, scriptFile } from '../../infra/local/cloud/account.ts'
import { serveAccount } from '../../infra/local/cloud/runtime.ts'
import { startCloud } from '../../infra/local/start-cloud.ts'
import type { Alteration } from '../../test/support/alter.ts'
import { allowMuch, GENEROUS } from '../../test/support/cloud/cloud.ts'
import type { Counted } from './bill.ts'
import { countedBuild } from './build.ts'

/** The product as `npm start` serves it, with counters around it. */
export interface CountedService extends AsyncDisposable {
  readonly url: string
  /** Sends JSON with a bearer, and returns the JSON of the reply. Fails unless the reply is a success. */
  post(path: string, bearer: string, body: object): Promise<Record<string, unknown>>
  get(path: string, bearer: string): Promise<Record<string, unknown>>
  /** Mints a token of a new space. */
  mint(): Promise<string>
  /** Returns the work since the last time, once background work has ended. */
  take(): Promise<Counted>
  /** Runs a statement on a table of its own, and returns the rows that it writes when its row exists already. */
  rowsWritten(peer: { readonly table: string; readonly statement: string }): Promise<number>
  /** Ends the counting. */
  stopCounting(): Promise<void>
  /** The processor time of the whole runtime so far, user and system, ms. */
  cpuMs(): number
}

/** Serves the product with counters around it, and with more changes of its constants. */
export async function serveCounted(more: readonly Alteration[] = []): Promise<CountedService> {
  const local = mkdtempSync(join(tmpdir(), 'chronicle-cost-'))
  const cloud = await startCloud({ port: 0, local, config: GENEROUS })
  const { adminToken } = cloud.outputs
  await allowMuch(cloud)
  await cloud.stop()
  const folder = join(local, 'dev')
  const account = loadAccount(folder)
  const outfile = scriptFile(folder, account.scripts[0]?.name ?? '')
  await build({ ...countedBuild(more), outfile, allowOverwrite: true })
  const { port, pid, stop } = await serveAccount({ account, folder, port: 0, onLog: () => {} })
  const url = `http://127.0.0.1:${port}`

  async function send(path: string, bearer: string, init: RequestInit): Promise<Record<string, unknown>> {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${bearer}` }
    const response = await fetch(url + path, { ...init, headers })
    const text = await response.text()
    if (!response.ok) throw new Error(`${path}: ${response.status} ${text.slice(0, 300)}`)
    return JSON.parse(text)
  }

  const post = (path: string, bearer: string, body: object) =>
    send(path, bearer, { method: 'POST', body: JSON.stringify(body) })

  return {
    url,
    post,
    get: (path, bearer) => send(path, bearer, {}),
    async mint() {
      const grant = { subject: crypto.randomUUID(), scopes: ['sync:read', 'sync:write'] }
      return String((await post('/api/tokens', adminToken, grant)).token)
    },
    take: () => takeSettled(url),
    async rowsWritten(peer) {
      const response = await fetch(`${url}/cost/rows?${new URLSearchParams(peer)}`)
      return (await response.json()) as number
    },
    async stopCounting() {
      await fetch(`${url}/cost/stop`)
    },
    cpuMs: () => cpuMsOf(pid),
    async [Symbol.asyncDispose]() {
      await stop()
      rmSync(local, { recursive: true, force: true })
    },
  }
}

/** How long no statement may run before the work of a load has ended, ms. */
const QUIET_MS = 250

async function takeSettled(url: string): Promise<Counted> {
  let all = (await (await fetch(`${url}/cost/usage`)).json()) as Counted
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, QUIET_MS))
    const more = (await (await fetch(`${url}/cost/usage`)).json()) as Counted
    all = addUp(all, more)
    if (more.statements === 0 && more.messages === 0) return all
  }
}

function addUp(one: Counted, other: Counted): Counted {
  const names = Object.keys(one) as (keyof Counted)[]
  return Object.fromEntries(names.map((name) => [name, one[name] + other[name]])) as unknown as Counted
}

/** Milliseconds of a tick of the kernel's accounting, on every Linux that Node runs on. */
const TICK_MS = 10

function cpuMsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The fields after the name in parentheses, which may contain spaces: the 12th is the user time, the 13th the system's.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS
}
