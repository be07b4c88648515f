// `npm run bench:live`: measures how soon followers of a space receive a change, how much memory they need, and whether a
// follower that stops reading slows the others down.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { MAX_SOCKETS } from '../worker/src/core/values/socket-limits.ts'

import { type Delivery, deliver } from './audience.ts'
import { serveProduct } from './servers/product.ts'
import { stall } from './stalled.ts'

const PUSHES = 300
const ROUNDS = 4
/** A little longer than a client may leave frames unconfirmed. */
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
    `  memory of the runtime: ${before} MiB before, ${after} after, ${residentMiB()} without listeners again`,
  )
}

/** Compares the delays with and without a follower that does not read. Only the ratios are meaningful. */
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
  return quantile(beside, part, ({ lastMs }) => lastMs) / quantile(alone, part, ({ lastMs }) => lastMs)
}

function describe(deliveries: readonly Delivery[]): string {
  const line = (of: (delivery: Delivery) => number) =>
    [0.5, 0.99].map((part) => quantile(deliveries, part, of).toFixed(1)).join(' / ')
  return `ms p50 / p99: answer ${line(({ ackMs }) => ackMs)}, last listener ${line(({ lastMs }) => lastMs)}, from the answer to the last listener ${line(({ ackMs, lastMs }) => lastMs - ackMs)}`
}

function quantile(deliveries: readonly Delivery[], part: number, of: (delivery: Delivery) => number): number {
  const sorted = deliveries.map(of).sort((a, b) => a - b)
  return sorted[Math.floor(part * (sorted.length - 1))] ?? 0
}

/** The resident memory of the runtime. */
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
