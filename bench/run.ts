// `npm run bench`: the product beside a bare Durable Object, in turn, in one run. The ratio counts, not the times.
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Account, scriptFile } from '../infra/local/account.ts'
import { serveAccount } from '../infra/local/cloud.ts'
import { startCloud } from '../infra/local/start-cloud.ts'
import { measure, type Sender } from './load.ts'
import { bareSender, deviceSender } from './senders.ts'

const CONNECTIONS = 32
const ROUNDS = Number(process.argv[2] ?? 5)
const SECONDS = Number(process.argv[3] ?? 3)
const BATCHES = [1, 100, 500]

const folder = mkdtempSync(join(tmpdir(), 'chronicle-bench-'))
const unlimited = { authRequestsPerMinute: '1000000', syncRequestsPerMinute: '1000000' }
const product = await startCloud({ port: 0, local: join(folder, 'product'), config: unlimited })
const bare = await serveBare(join(folder, 'bare'))
try {
  for (const batch of BATCHES) await compare(batch)
} finally {
  await Promise.all([product.stop(), bare.stop()])
  rmSync(folder, { recursive: true })
}

async function compare(batch: number): Promise<void> {
  const lines: { bare: number; product: number; ratio: number }[] = []
  for (let round = 0; round <= ROUNDS; round++) {
    const bareSenders = connections((part) => bareSender(part, CONNECTIONS, batch))
    const before = await measure({
      url: `http://127.0.0.1:${bare.port}`,
      path: '/',
      senders: bareSenders,
      seconds: SECONDS,
    })
    const senders = await devices(`space-${batch}-${round}`, batch)
    const after = await measure({ url: product.url, path: '/api/sync', senders, seconds: SECONDS })
    // The first round warms up both.
    if (round > 0) lines.push({ bare: before, product: after, ratio: after / before })
  }
  const [low, middle, high] = spread(lines.map(({ ratio }) => ratio))
  const requests = `bare ${median(lines, 'bare')}/s, product ${median(lines, 'product')}/s`
  console.log(`batch ${batch}: ${middle} times the bare object (${low} to ${high}); ${requests}`)
}

function connections(make: (part: number) => Sender): readonly Sender[] {
  return Array.from({ length: CONNECTIONS }, (_, part) => make(part))
}

async function devices(space: string, batch: number): Promise<readonly Sender[]> {
  const token = await post('/api/tokens', product.outputs.adminToken, {
    subject: space,
    scopes: ['sync:read', 'sync:write'],
  })
  const sessions = await Promise.all(
    Array.from({ length: CONNECTIONS }, () => post('/api/auth', '', { token: token.token })),
  )
  return connections((part) =>
    deviceSender(sessions[part]?.session ?? '', { part, parts: CONNECTIONS }, batch),
  )
}

async function post(path: string, bearer: string, body: object): Promise<Record<string, string>> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${bearer}` }
  const response = await fetch(product.url + path, { method: 'POST', headers, body: JSON.stringify(body) })
  return (await response.json()) as Record<string, string>
}

function spread(ratios: readonly number[]): readonly string[] {
  const sorted = [...ratios].sort((a, b) => a - b)
  return [sorted[0], sorted[Math.floor(sorted.length / 2)], sorted.at(-1)].map((ratio) =>
    (ratio ?? 0).toFixed(2),
  )
}

function median(lines: readonly { bare: number; product: number }[], name: 'bare' | 'product'): number {
  const sorted = lines.map((line) => line[name]).sort((a, b) => a - b)
  return Math.round(sorted[Math.floor(sorted.length / 2)] ?? 0)
}

/** The bare object behind the same front, on a runtime of its own. */
async function serveBare(at: string): ReturnType<typeof serveAccount> {
  mkdirSync(join(at, 'scripts'), { recursive: true })
  copyFileSync(join(import.meta.dirname, 'bare.js'), scriptFile(at, 'bare'))
  const account: Account = {
    namespaces: [],
    domains: [],
    scripts: [
      {
        name: 'bare',
        compatibilityDate: '2026-11-01',
        compatibilityFlags: [],
        bindings: [{ name: 'BARE', type: 'durable_object_namespace', className: 'Bare' }],
        classes: { Bare: 'bare' },
        createdOn: '',
        modifiedOn: '',
        etag: '',
        migrationTag: '',
        workersDev: true,
      },
    ],
  }
  return serveAccount({ account, folder: at, port: 0, onLog: () => {} })
}
