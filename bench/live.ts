// `npm run bench:live`: how soon those who follow a space hear of a change, what they cost in memory, and whether
// one that stops reading costs the others anything.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { MAX_SOCKETS } from '../worker/src/core/values/socket-limits.ts'

import { type Delivery, deliver } from './audience.ts'
import { serveProduct } from './servers.ts'
import { stall } from './stalled.ts'

const PUSHES = 300
const ROUNDS = 4
/** A little more than what a client may leave unconfirmed. */
const DEADLINE_MS = 31_000

const folder = mkdtempSync(join(tmpdir(), 'chronicle-bench-'))
const { url, adminToken, pid, stop } = await serveProduct(join(folder, 'product'))

try {
  for (const listeners of [50, MAX_SOCKETS]) await measureAudience(listeners)
  await compareWithStalled()
} finally {
  await stop()
  rmSync(folder, { recursive: true })
}

async function measureAudience(listeners: number): Promise<void> {
  const session = await openSession(`audience-${listeners}`)
  const before = residentMiB()
  const deliveries = await deliver({ url, session, listeners, pushes: PUSHES })
  const after = residentMiB()
  await setTimeout(2000)
  console.log(`${listeners} listeners, ${PUSHES} changes: ${describe(deliveries)}`)
  console.log(
    `  memory of the runtime: ${before} MiB before, ${after} after, ${residentMiB()} once they are gone`,
  )
}

/** With and without one that does not read, in turn: the ratio counts. */
async function compareWithStalled(): Promise<void> {
  const ratios: (readonly [p50: number, p99: number])[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const session = await openSession(`stalled-${round}`)
    const alone = await deliver({ url, session, listeners: 49, pushes: PUSHES })
    const stalled = await stall(url, session)
    const beside = await deliver({ url, session, listeners: 49, pushes: PUSHES })
    console.log(`49 listeners alone: ${describe(alone)}`)
    console.log(`  beside one that does not read: ${describe(beside)}`)
    ratios.push([ratio(beside, alone, 0.5), ratio(beside, alone, 0.99)])
    if (round < ROUNDS - 1) continue
    await setTimeout(DEADLINE_MS)
    await deliver({ url, session, listeners: 1, pushes: 1 })
    console.log(`  which was ended with ${await stalled.ending()}`)
  }
  const [p50, p99] = [0, 1].map((index) => ratios.map((pair) => pair[index]?.toFixed(2)).join(', '))
  console.log(`with and without it, ratios of ${ROUNDS} rounds: p50 ${p50}; p99 ${p99}`)
}

function ratio(beside: readonly Delivery[], alone: readonly Delivery[], part: number): number {
  return quantile(beside, part, ({ last }) => last) / quantile(alone, part, ({ last }) => last)
}

function describe(deliveries: readonly Delivery[]): string {
  const line = (of: (delivery: Delivery) => number) =>
    [0.5, 0.99].map((part) => quantile(deliveries, part, of).toFixed(1)).join(' / ')
  return `ms p50 / p99: answer ${line(({ ack }) => ack)}, last listener ${line(({ last }) => last)}, from the answer to the last listener ${line(({ ack, last }) => last - ack)}`
}

function quantile(deliveries: readonly Delivery[], part: number, of: (delivery: Delivery) => number): number {
  const sorted = deliveries.map(of).sort((a, b) => a - b)
  return sorted[Math.floor(part * (sorted.length - 1))] ?? 0
}

/** What the runtime holds in memory. */
function residentMiB(): number {
  const [, kib = '0'] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Math.round(Number(kib) / 1024)
}

async function openSession(space: string): Promise<string> {
  const { token } = await post('/api/tokens', adminToken, {
    subject: space,
    scopes: ['sync:read', 'sync:write'],
  })
  const { session = '' } = await post('/api/auth', '', { token })
  return session
}

async function post(path: string, bearer: string, body: object): Promise<Record<string, string>> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${bearer}` }
  const response = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) })
  return (await response.json()) as Record<string, string>
}
