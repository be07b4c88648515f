import { expect, test } from 'vitest'
import { mintToken } from '../support/cloud/cloud.ts'
import { withCloud } from '../support/cloud/with-cloud.ts'
import { type Conflict, OfflineDevice } from '../support/devices/offline-device.ts'
import { fetchDocumented } from '../support/documented.ts'
import { realDocuments } from '../support/documents.ts'

const documents = realDocuments()
const keys = [...documents.keys()]

const cloud = withCloud()

async function openDevices(space: string, names: readonly string[]): Promise<readonly OfflineDevice[]> {
  const token = await mintToken(cloud, space)
  const devices = names.map((name) => new OfflineDevice(name, cloud.url))
  await Promise.all(devices.map((device) => device.open(token)))
  return devices
}

async function allConflicts(reader: OfflineDevice): Promise<readonly Conflict[]> {
  const found: Conflict[] = []
  for (let after: number | null = 0; after !== null; ) {
    const page: { conflicts: Conflict[]; next: number | null } = await reader.get(
      `/api/conflicts?after=${after}`,
    )
    found.push(...page.conflicts)
    after = page.next
  }
  return found
}

test('[IT1] delivers real documents to other devices deeply equal', async () => {
  const [a, b, c] = (await openDevices('reach', ['a', 'b', 'c'])) as [
    OfflineDevice,
    OfflineDevice,
    OfflineDevice,
  ]
  for (const [key, document] of documents) a.put(key, document)
  await a.sync()
  await b.sync()
  await c.sync()
  expect(documents.size).toBeGreaterThan(200)
  for (const device of [a, b, c]) expect(device.entries()).toEqual(documents)
  console.info(`IT1: ${documents.size} documents, 3 devices equal`)
})

test('[IT2] brings devices together that edited, deleted and re-created while offline, and keeps every loser readable', async () => {
  const [a, b, c] = (await openDevices('converge', ['a', 'b', 'c'])) as [
    OfflineDevice,
    OfflineDevice,
    OfflineDevice,
  ]
  // Earlier than all edits: a write never gets a time before the version that it is based on (CL4).
  const created = Date.now() - 60_000
  for (const [key, document] of documents) a.put(key, document, created)
  for (const device of [a, b, c]) await device.sync()

  const began = Date.now()
  const losers = new Map<string, unknown>()
  const expected = new Map(documents)
  for (const [index, key] of keys.entries()) {
    const [early, late] = [began - 2_000 + index, began + index - 1_000]
    const value = (by: string) => ({ by, index, was: documents.get(key) })
    switch (index % 6) {
      case 0: // both edit, b later
        a.put(key, value('a'), early)
        b.put(key, value('b'), late)
        expected.set(key, value('b'))
        losers.set(key, value('a'))
        break
      case 1: // both edit, a later
        a.put(key, value('a'), late)
        b.put(key, value('b'), early)
        expected.set(key, value('a'))
        losers.set(key, value('b'))
        break
      case 2: // a edits, b deletes later
        a.put(key, value('a'), early)
        b.delete(key, late)
        expected.delete(key)
        losers.set(key, value('a'))
        break
      case 3: // a deletes, and creates again before it syncs
        a.delete(key, early)
        a.put(key, value('again'), late)
        expected.set(key, value('again'))
        break
      case 4: // only b deletes
        b.delete(key, late)
        expected.delete(key)
        break
    }
  }
  for (const device of [a, b, a, c]) await device.sync()

  for (const device of [a, b, c]) expect(device.entries()).toEqual(expected)
  const conflicts = await allConflicts(c)
  expect(new Map(conflicts.map(({ key, loser }) => [key, loser.value]))).toEqual(losers)
  expect(conflicts).toHaveLength(losers.size)
  expect([...a.conflicts, ...b.conflicts].sort((x, y) => x.id - y.id)).toEqual(conflicts)
  console.info(
    `IT2: ${documents.size} documents, ${conflicts.length} conflicts, as many losers readable, 3 devices equal`,
  )
})

test('[IT3] loses no acknowledged change and applies none twice when the runtime is killed during an upload', async () => {
  const names = ['a', 'b', 'c', 'd']
  const token = await mintToken(cloud, 'killed')
  const devices = names.map((name) => new OfflineDevice(name, cloud.url))
  for (const device of devices) {
    await device.open(token)
    for (const [key, document] of documents) device.put(`${device.name}/${key}`, document)
  }
  const total = documents.size * devices.length
  const uploads = devices.map((device) => device.sync(5).catch(() => 'cut off'))
  while (devices.reduce((sum, { acknowledged }) => sum + acknowledged, 0) < total / 3) await pause(1)
  process.kill(cloud.running.workerdPid, 'SIGKILL')
  await cloud.running.died
  expect(await Promise.all(uploads)).toEqual(names.map(() => 'cut off'))
  const acknowledged = devices.reduce((sum, device) => sum + device.acknowledged, 0)
  await cloud.running.stop()

  await cloud.start()
  for (const device of devices) {
    device.moveTo(cloud.url)
    await device.sync(5)
  }
  const reader = new OfflineDevice('reader', cloud.url)
  await reader.open(token)
  await reader.sync()
  const expected = new Map(names.flatMap((name) => keys.map((key) => [`${name}/${key}`, documents.get(key)])))
  expect(reader.entries()).toEqual(expected)
  const status = await reader.get<{ head: string; entries: number; openConflicts: number }>('/api/status')
  // Each change takes one sequence number. A batch that was applied twice would have taken more.
  expect(status.head.split('.')[1]).toBe(String(total))
  expect(status.entries).toBe(total)
  expect((await allConflicts(reader)).length).toBe(0)
  const replays = devices.reduce((sum, device) => sum + device.replays, 0)
  console.info(
    `IT3: killed after ${acknowledged} of ${total} acknowledged; ${replays} batches were stored unanswered`,
  )
})

test('[RE3] gets back from devices what was written after the back-up of a space that was erased and restored', async () => {
  const admin = async () => {
    const opened = { token: await mintToken(cloud, 'restored', { scopes: ['sync:read', 'space:admin'] }) }
    return (await ask('POST', '/api/auth', { body: JSON.stringify(opened) })).json()
  }
  const [a, b] = (await openDevices('restored', ['a', 'b'])) as [OfflineDevice, OfflineDevice]
  for (const [key, document] of documents) a.put(key, document)
  await a.sync()
  const { session } = (await admin()) as { session: string }
  const backup = await (await ask('GET', '/api/export', { session })).text()
  const expected = new Map(documents)
  for (const [index, key] of keys.entries()) {
    if (index % 3 === 0) continue
    const value = { index, edited: 'after the back-up', was: documents.get(key) }
    a.put(key, value)
    expected.set(key, value)
  }
  a.put('made/later', 'after the back-up')
  expected.set('made/later', 'after the back-up')
  await a.sync()
  await b.sync()

  const confirm = JSON.stringify({ confirm: 'restored' })
  expect((await ask('DELETE', '/api/space', { session, body: confirm })).status).toBe(200)
  const again = (await admin()) as { session: string }
  const type = 'application/x-ndjson'
  expect((await ask('POST', '/api/import', { session: again.session, body: backup, type })).status).toBe(200)
  b.put(keys[0] as string, 'edited offline')
  expected.set(keys[0] as string, 'edited offline')
  const token = await mintToken(cloud, 'restored')
  const before = [a, b].map(({ conflicts }) => conflicts.length)
  for (const device of [b, a, b]) {
    await device.open(token)
    await device.sync()
  }
  for (const device of [a, b]) expect(device.entries()).toEqual(expected)
  expect([a, b].map(({ conflicts }) => conflicts.length)).toEqual(before)
  const brought = [...expected].filter(([key, value]) => documents.get(key) !== value).length
  console.info(`RE3: ${brought} of ${expected.size} entries came back from a device, without a conflict`)
})

interface Asked {
  readonly session?: string
  readonly body?: string
  readonly type?: string
}

function ask(
  method: string,
  path: string,
  { session, body, type = 'application/json' }: Asked,
): Promise<Response> {
  const headers = {
    ...(session !== undefined && { authorization: `Bearer ${session}` }),
    ...(body !== undefined && { 'content-type': type }),
  }
  return fetchDocumented(cloud.url + path, { method, headers, ...(body !== undefined && { body }) })
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
