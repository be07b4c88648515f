import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Alteration } from '../../test/support/alter.ts'
import { processorMicros } from '../load/process.ts'
import { provision } from '../servers/product.ts'
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
  const { url, pid, adminToken, stop } = await (await provision(local, countedBuild(more))).serve()

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
    cpuMs: () => processorMicros(pid) / 1000,
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
