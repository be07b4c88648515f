import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, vi } from 'vitest'
import { storedObjects } from '../../../infra/local/cloud/objects.ts'
import type { RunningCloud } from '../../../infra/local/start-cloud.ts'
import { backUpSpaces } from '../../../infra/operate/backup/backup-spaces.ts'
import { restoreSpaces } from '../../../infra/operate/backup/restore-spaces.ts'
import type { Service } from '../../../infra/operate/service/persist.ts'
import { mintToken, testCloud } from '../../support/cloud/cloud.ts'
import { OfflineDevice } from '../../support/devices/offline-device.ts'
import { type FakeClock, fakeClock, limitedService, type Unkindness } from './limited-service.ts'

export const cloud = testCloud()
export let running: RunningCloud
export let clock: FakeClock
export let folder: string
/** Lines that the tools print on either stream. */
export let printed: string[]

beforeAll(async () => {
  running = await cloud.start()
})
afterAll(() => cloud.remove())

beforeEach(() => {
  clock = fakeClock()
  folder = mkdtempSync(join(tmpdir(), 'chronicle-backup-'))
  printed = []
  for (const stream of ['log', 'error'] as const) {
    vi.spyOn(console, stream).mockImplementation((line) => printed.push(String(line)))
  }
  onTestFinished(() => {
    vi.restoreAllMocks()
    rmSync(folder, { recursive: true, force: true })
  })
})

export async function service(unkind?: Unkindness): Promise<Service> {
  const { adminToken } = running.outputs
  return { api: await limitedService(running.url, clock, unkind), adminToken, clock }
}

/** Backs everything up. Returns `complete`, or the error message. */
export async function backUp(
  unkind?: Unkindness,
  options: { again?: boolean; objects?: string[]; place?: Service } = {},
): Promise<string> {
  const listObjects = async () => options.objects ?? storedObjects(join(cloud.folder, 'dev'), 'Chronicle')
  const wanted = { folder, again: options.again ?? false, listObjects }
  return backUpSpaces(options.place ?? (await service(unkind)), wanted).then(
    () => 'complete',
    (cause: Error) => cause.message,
  )
}

export async function restore(path: string, unkind?: Unkindness, place?: Service): Promise<string> {
  return restoreSpaces(place ?? (await service(unkind)), path, false).then(
    () => 'complete',
    (cause: Error) => cause.message,
  )
}

export async function operate(
  method: string,
  path: string,
  body?: object,
  bearer = running.outputs.adminToken,
) {
  const headers = { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' }
  const init = { method, headers, ...(body && { body: JSON.stringify(body) }) }
  return (await (await fetch(running.url + path, init)).json()) as Record<string, string> & {
    tokens: { name: string; id: string; space: string; spaceId: string; expiresAt: number }[]
  }
}

/** Lists the names of tokens that the tools left behind. */
export async function leftTokens(): Promise<readonly string[]> {
  const { tokens } = await operate('GET', '/api/tokens')
  return tokens.map(({ name }) => name).filter((name) => ['backup', 'restore', 'smoke check'].includes(name))
}

/** Makes a space with some entries. Returns its device. */
export async function newSpace(space: string): Promise<OfflineDevice> {
  const device = new OfflineDevice('phone', running.url)
  await device.open(await mintToken(running, space))
  for (let n = 0; n < 3; n++) device.put(`notes/${n}`, { n, space })
  await device.sync()
  return device
}

export async function entriesOf(space: string): Promise<unknown> {
  const device = new OfflineDevice('tablet', running.url)
  await device.open(await mintToken(running, space))
  await device.sync()
  return device.entries()
}

export async function erase(space: string): Promise<void> {
  const wanted = { subject: 'operator', space, scopes: ['space:admin'] }
  const { token, id } = await operate('POST', '/api/tokens', wanted)
  const { session } = await operate('POST', '/api/auth', { token })
  expect(await operate('DELETE', '/api/space', { confirm: space }, session)).toEqual({ success: true })
  await operate('DELETE', `/api/tokens/${id}`)
}
