/** Many clients write to one space while the runtime is killed at random moments, and is started again. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { decodeChunks } from '../../../worker/src/core/log/chunk.ts'
import { HEADS } from '../../support/stored-rows.ts'
import { type Runtime, startRuntime } from '../runtime.ts'
import { StormClient } from './storm-client.ts'

const ROOT = join(import.meta.dirname, '../../..')

/** The longest life of a runtime after its first acknowledgement, ms. */
const LIFE_MS = 400

interface Storm {
  readonly kills: number
  readonly clients: number
  readonly folder: string
}

/** Counts of a storm. */
interface Toll {
  kills: number
  acknowledged: number
  /** Batches without a reply when the runtime was killed. */
  unanswered: number
  /** Those of them that had been stored nevertheless. */
  stored: number
}

/** Kills the runtime again and again. Checks after each restart that nothing acknowledged is lost and nothing is twice. */
async function killStorm({ kills, clients: count, folder }: Storm): Promise<Toll> {
  const toll: Toll = { kills: 0, acknowledged: 0, unanswered: 0, stored: 0 }
  const start = () => startRuntime({ worker: ROOT, objects: ROOT, folder })
  let runtime = await start()
  const clients = await enrolAll(runtime, count)
  for (; toll.kills < kills; toll.kills++) {
    const before = sumOf(clients)
    const load = Promise.all(clients.map((client) => client.write(runtime.url)))
    while (sumOf(clients) === before) await setTimeout(2)
    await setTimeout(Math.random() * LIFE_MS)
    await runtime.kill()
    await load
    checkRows(folder)
    runtime = await start()
    const { url } = runtime
    const asked = await Promise.all(clients.map((client) => client.retry(url)))
    toll.unanswered += asked.filter((reply) => reply !== null).length
    toll.stored += asked.filter((reply) => reply?.replayed === true).length
    await Promise.all(clients.map((client) => client.check(url)))
  }
  toll.acknowledged = sumOf(clients)
  await runtime.stop()
  return toll
}

/** Counts the batches that the clients were told of. */
function sumOf(clients: readonly StormClient[]): number {
  return clients.reduce((sum, { acknowledged }) => sum + acknowledged, 0)
}

/** Opens a session for each client. Half of them write on a socket. */
async function enrolAll({ url, adminToken }: Runtime, count: number): Promise<readonly StormClient[]> {
  const post = async (path: string, bearer: string, body: object, method = 'POST') => {
    const headers = { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' }
    const response = await fetch(url + path, { method, headers, body: JSON.stringify(body) })
    expect(response.ok, path).toBe(true)
    return (await response.json()) as Record<string, string>
  }
  const many = 1_000_000
  const requestsPerMinute = { client: many, credential: many, space: many }
  await post('/api/config', adminToken, { revision: 0, requestsPerMinute }, 'PUT')
  const rights = { subject: 'ann', space: 'stormy', scopes: ['sync:read', 'sync:write'] }
  const { token } = await post('/api/tokens', adminToken, rights)
  return Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const id = `c${index}`
      const { session } = await post('/api/auth', '', { token, clientId: id })
      return new StormClient(id, String(session), index % 2 === 1)
    }),
  )
}

/** Checks that the log has every version once, and that the entries and counts agree with it. */
function checkRows(folder: string): void {
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.sqlite')) continue
    const db = new DatabaseSync(join(folder, file))
    if (db.prepare(`SELECT 1 FROM sqlite_schema WHERE name = 'segment'`).get()) checkSpace(db)
    db.close()
  }
}

function checkSpace(db: DatabaseSync): void {
  const rows = db.prepare('SELECT body FROM segment UNION ALL SELECT body FROM archive').all()
  const seqs = rows
    .flatMap(({ body }) => decodeChunks(body as Uint8Array))
    .flatMap(({ header }) => header.slots.map(({ seq }) => seq))
    .sort((a, b) => a - b)
  expect(seqs).toEqual(Array.from(seqs, (_, index) => index + 1))
  const heads = db.prepare(HEADS).all()
  const tail = db.prepare('SELECT last, entries FROM segment ORDER BY first DESC LIMIT 1').get()
  if (tail === undefined) return
  expect(tail.last).toBe(seqs.length)
  expect(tail.entries).toBe(heads.filter(({ deleted }) => deleted === 0).length)
  expect(new Set(heads.map(({ seq }) => seq)).size).toBe(heads.length)
  for (const { seq } of heads) expect(seq).toBeLessThanOrEqual(seqs.length)
}

/** Set by hand for a longer storm: `KILLS=50 npx vitest run test/integration/storm`. */
const KILLS = Number(process.env.KILLS ?? 5)

test(
  '[IT3] loses nothing acknowledged and stores nothing twice when killed while many clients write',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'chronicle-storm-'))
    const toll = await killStorm({ kills: KILLS, clients: 16, folder })
    console.info(`IT3: ${JSON.stringify(toll)}`)
    expect(toll.acknowledged).toBeGreaterThan(10 * KILLS)
    expect(toll.unanswered).toBeGreaterThan(KILLS)
    rmSync(folder, { recursive: true, force: true })
  },
  KILLS * 12_000,
)
