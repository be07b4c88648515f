import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout } from 'node:timers/promises'
import { afterAll, expect, test } from 'vitest'
import type { RunningCloud } from '../../infra/local/start-cloud.ts'
import { decodeChunks } from '../../worker/src/core/log/chunk.ts'
import type { ChunkHeader } from '../../worker/src/core/log/chunk-header.ts'
import { allowMuch, GENEROUS, mintToken, testCloud } from '../support/cloud/cloud.ts'
import { OfflineDevice } from '../support/devices/offline-device.ts'

/** Live generations of the master key in each life of the runtime. All but the last life end by SIGKILL. */
const LIVES = [[1], [2, 1], [3, 2, 1], [3, 2, 1]] as const
const NAMES = ['a', 'b', 'c', 'd']
const OWN_KEYS = 24
const SHARED_KEYS = 6

/** In every life, each device writes its own keys and the shared keys once, and the doubter writes one key. */
const WRITES = LIVES.length * (NAMES.length * (OWN_KEYS + SHARED_KEYS) + 1)

const tested = testCloud()
const devices = NAMES.map((name) => new OfflineDevice(name, ''))
/** Device that receives every reply, and repeats its last batch after each kill. */
const doubter = new OfflineDevice('doubter', '')
/** Newest sequence number of the space at the start of each life. */
const began: number[] = []

afterAll(() => tested.remove())

function ownKeys(name: string): readonly string[] {
  return Array.from({ length: OWN_KEYS }, (_, n) => `${name}/${n}`)
}

const sharedKeys = Array.from({ length: SHARED_KEYS }, (_, n) => `shared/${n}`)

/** Makes a different value for every write. */
function contentOf(name: string, key: string, life: number): object {
  return { name, key, life, padding: `${name}${life}`.repeat(100) }
}

async function start(life: number): Promise<RunningCloud> {
  const cloud = await tested.start({ ...GENEROUS, masterKeys: JSON.stringify(LIVES[life]) })
  await allowMuch(cloud)
  for (const device of [...devices, doubter]) device.moveTo(cloud.url)
  return cloud
}

/** Accepts the error of a request to a killed runtime. Rethrows any other error, such as a refusal. */
function cutOff(cause: unknown): 'cut off' {
  if (cause instanceof TypeError) return 'cut off'
  throw cause
}

function acknowledged(): number {
  return devices.reduce((sum, device) => sum + device.acknowledged, 0)
}

/** Uploads a round of edits. Calls `end` once a third of the queue is acknowledged. */
async function live(life: number, end: () => Promise<void>): Promise<readonly unknown[]> {
  began.push(await headOf(doubter))
  if (life > 0)
    expect(await doubter.again()).toMatchObject({ replayed: true, results: [{ status: 'applied' }] })
  doubter.put(`doubter/${life}`, life)
  await doubter.sync()
  for (const device of devices) {
    for (const key of [...ownKeys(device.name), ...sharedKeys])
      device.put(key, contentOf(device.name, key, life))
  }
  const queued = devices.reduce((sum, { unsent }) => sum + unsent, 0)
  const due = acknowledged() + queued / 3
  let isOver = false
  const uploads = Promise.all(devices.map((device) => device.sync(5).catch(cutOff))).finally(() => {
    isOver = true
  })
  while (!isOver && acknowledged() < due) await setTimeout(1)
  await end()
  return uploads
}

async function headOf(reader: OfflineDevice): Promise<number> {
  const { head } = await reader.get<{ head: string }>('/api/status')
  return Number(head.split('.')[1])
}

async function historyOf(reader: OfflineDevice, key: string): Promise<readonly unknown[]> {
  const { versions } = await reader.get<{ versions: readonly { value: unknown }[] }>(
    `/api/history?key=${key}`,
  )
  return versions.map(({ value }) => value)
}

async function losersOf(reader: OfflineDevice, key: string): Promise<readonly unknown[]> {
  const path = `/api/conflicts?limit=100&key=${key}`
  const { conflicts } = await reader.get<{ conflicts: readonly { loser: { value: unknown } }[] }>(path)
  return conflicts.map(({ loser }) => loser.value)
}

/** Reads all chunk headers in the log. Headers are in the clear, and no runtime holds the files. */
function framesIn(folder: string): readonly ChunkHeader[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  return files
    .filter((file) => file.endsWith('.sqlite'))
    .flatMap((file) => {
      const database = new DatabaseSync(join(folder, file))
      const isSpace = database.prepare(`SELECT 1 FROM sqlite_schema WHERE name = 'segment'`).get()
      const rows = isSpace ? database.prepare('SELECT body FROM segment').all() : []
      database.close()
      return rows.flatMap(({ body }) => decodeChunks(body as Uint8Array)).map(({ header }) => header)
    })
}

/** Returns the life in which a version was written. */
function lifeOf(seq: number): number {
  return began.findLastIndex((head) => head < seq)
}

/** Expects every write to be stored once, in order, and readable. */
async function expectEveryWrite(reader: OfflineDevice): Promise<void> {
  const lives = LIVES.map((_, life) => life).reverse()
  const state = reader.entries()
  // Each write takes one sequence number. A write that was lost or applied twice would show.
  expect(await headOf(reader)).toBe(WRITES)
  for (const name of NAMES) {
    for (const key of ownKeys(name)) {
      const versions = lives.map((life) => contentOf(name, key, life))
      expect(state.get(key)).toEqual(versions[0])
      expect(await historyOf(reader, key)).toEqual(versions)
    }
  }
  for (const key of sharedKeys) {
    const kept = [...(await historyOf(reader, key)), ...(await losersOf(reader, key))]
    const writes = NAMES.flatMap((name) => lives.map((life) => contentOf(name, key, life)))
    expect(kept).toEqual(expect.arrayContaining(writes))
    expect(writes).toContainEqual(state.get(key))
  }
}

/** Expects each version to be sealed by the newest key of the life in which it was stored. */
function expectSealedByNewest(): void {
  const sealed = framesIn(join(tested.folder, 'dev', 'data')).flatMap((frame) =>
    frame.slots.map(({ seq }) => ({ seq, by: frame.g })),
  )
  expect(sealed).toHaveLength(WRITES)
  for (const { seq, by } of sealed) expect(by, `version ${seq}`).toBe(LIVES[lifeOf(seq)]?.[0])
}

test('[KR4] loses no write and applies none twice when master keys rotate under load and the runtime is killed', async () => {
  let cloud = await start(0)
  const token = await mintToken(cloud, 'rotated')
  for (const device of [...devices, doubter]) await device.open(token)
  for (const [life] of LIVES.entries()) {
    if (life > 0) cloud = await start(life)
    const isLast = life === LIVES.length - 1
    const outcomes = await live(life, async () => {
      if (isLast) return
      process.kill(cloud.workerdPid, 'SIGKILL')
      await cloud.died
    })
    if (isLast) continue
    expect(outcomes).toContain('cut off')
    await cloud.stop()
  }

  const reader = new OfflineDevice('reader', cloud.url)
  await reader.open(token)
  for (const device of [...devices, reader]) await device.sync()
  for (const device of devices) expect(device.entries()).toEqual(reader.entries())
  await expectEveryWrite(reader)
  await cloud.stop()
  expectSealedByNewest()
  const replays = devices.reduce((sum, device) => sum + device.replays, 0)
  console.info(`KR4: ${WRITES} writes, lives began at ${began}; ${replays} batches were stored unanswered`)
})
