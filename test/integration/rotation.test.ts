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

/** The live generations of the master key in each life of the runtime; all but the last end by SIGKILL. */
const LIVES = [[1], [2, 1], [3, 2, 1], [3, 2, 1]] as const
const NAMES = ['a', 'b', 'c', 'd']
const OWN_KEYS = 24
const SHARED_KEYS = 6

/** Every device writes each of its keys, and each shared one, once in every life; another device one key. */
const WRITES = LIVES.length * (NAMES.length * (OWN_KEYS + SHARED_KEYS) + 1)

const tested = testCloud()
const devices = NAMES.map((name) => new OfflineDevice(name, ''))
/** Hears every answer, and asks for the last one again after each death. */
const doubter = new OfflineDevice('doubter', '')
/** Where the space stood when each life began. */
const began: number[] = []

afterAll(() => tested.remove())

function ownKeys(name: string): readonly string[] {
  return Array.from({ length: OWN_KEYS }, (_, n) => `${name}/${n}`)
}

const sharedKeys = Array.from({ length: SHARED_KEYS }, (_, n) => `shared/${n}`)

/** No two writes are of the same value. */
function contentOf(name: string, key: string, life: number): object {
  return { name, key, life, padding: `${name}${life}`.repeat(100) }
}

async function start(life: number): Promise<RunningCloud> {
  const cloud = await tested.start({ ...GENEROUS, masterKeys: JSON.stringify(LIVES[life]) })
  await allowMuch(cloud)
  for (const device of [...devices, doubter]) device.moveTo(cloud.url)
  return cloud
}

/** What a dead runtime does to a request; a refusal is another thing. */
function cutOff(cause: unknown): 'cut off' {
  if (cause instanceof TypeError) return 'cut off'
  throw cause
}

function acknowledged(): number {
  return devices.reduce((sum, device) => sum + device.acknowledged, 0)
}

/** Uploads a round of edits; `end` comes when a third of what is queued is acknowledged. */
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

/** The frames of all that is in the log: they are in the clear, and no runtime holds the files. */
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

/** Which life a version was written in. */
function lifeOf(seq: number): number {
  return began.findLastIndex((head) => head < seq)
}

/** Once, in its order, and readable. */
async function expectEveryWrite(reader: OfflineDevice): Promise<void> {
  const lives = LIVES.map((_, life) => life).reverse()
  const state = reader.entries()
  // One sequence number a write: one that was lost or applied twice would show.
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

/** Each version by the newest key of the life that it was stored in. */
function expectSealedByNewest(): void {
  const sealed = framesIn(join(tested.folder, 'dev', 'data')).flatMap((frame) =>
    frame.slots.map(({ seq }) => ({ seq, by: frame.g })),
  )
  expect(sealed).toHaveLength(WRITES)
  for (const { seq, by } of sealed) expect(by, `version ${seq}`).toBe(LIVES[lifeOf(seq)]?.[0])
}

test('[KR4] master keys rotated under load, by a runtime that is killed: nothing is lost, nothing twice', async () => {
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
