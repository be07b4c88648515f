import { createCollection } from '@tanstack/db'
import { expect, inject, onTestFinished } from 'vitest'
import { openChronicle } from '../../client/src/index.ts'
import { MemoryStore } from '../../client/src/memory.ts'
import { chronicleCollection } from '../../client/src/tanstack-db.ts'
import { mintToken } from '../support/cloud/cloud.ts'
import { Network, newSpace, readerOf } from './network.ts'

export const service = inject('service')

export interface Note {
  readonly id: string
  readonly title?: string
  readonly done?: boolean
  readonly n?: number
  readonly tags?: readonly string[]
}

/** Edits of one row: `notes` are merged, the later one of two `tasks` wins, and somebody decides in `choices`. */
export type Name = 'notes' | 'tasks' | 'choices'

export interface DeviceOptions {
  readonly name?: Name
  readonly store?: MemoryStore
  readonly sockets?: boolean
}

export type Device = Awaited<ReturnType<typeof device>>

/** Makes a device with a TanStack DB collection. */
export async function device(space: string, options: DeviceOptions = {}) {
  const { name = 'tasks', store = new MemoryStore(), sockets = false } = options
  const network = new Network()
  const token = await mintToken(service, space)
  const db = await openChronicle({
    ...{ url: service.url, token: () => token, collections: [name], store },
    platform: network.platform({ sockets }),
  })
  onTestFinished(() => db.close({ discard: true }))
  const rows = createCollection(chronicleCollection<Note>({ db, name, getKey: ({ id }) => id }))
  await rows.preload()
  const read = await readerOf(service, space)
  return { db, name, network, read, rows, store }
}

export async function pair(name?: Name): Promise<readonly [Device, Device]> {
  const space = newSpace()
  const options = name ? { name } : {}
  return [await device(space, options), await device(space, options)]
}

/** Returns the rows by their ids, without the fields that begin with `$`. */
export function stateOf({ rows }: Device): Readonly<Record<string, Note>> {
  const plain = rows.toArray.map((row) => [row.id, withoutExtras(row)] as const)
  return Object.fromEntries(plain.sort(([a], [b]) => (a < b ? -1 : 1)))
}

function withoutExtras(row: Note): Note {
  return Object.fromEntries(
    Object.entries(row).filter(([field]) => !field.startsWith('$')),
  ) as unknown as Note
}

/** Brings a device online, and sends and reads everything. */
export async function sync({ db, name, network }: Device): Promise<void> {
  network.goOnline()
  await db.sync()
  await db.collection(name).settled()
}

/** Syncs every device twice. The second sync receives the changes that later devices sent. */
export async function settle(...devices: readonly Device[]): Promise<Readonly<Record<string, Note>>> {
  // An attempt that began without a network fails.
  for (const each of [...devices, ...devices]) await sync(each).catch(() => sync(each))
  const [first, ...others] = devices.map(stateOf)
  for (const other of others) expect(other).toEqual(first)
  for (const { db } of devices) expect(db.status.getSnapshot().pending).toBe(0)
  return first ?? {}
}

export function goOffline(...devices: readonly Device[]): void {
  for (const { network } of devices) network.goOffline()
}

/** Lists the values that lost a conflict. */
export async function losersOf({ read }: Device): Promise<readonly unknown[]> {
  const { conflicts } = await read<{ conflicts: { loser: { value?: unknown } }[] }>('/api/conflicts')
  return conflicts.map(({ loser }) => loser.value)
}

export function change({ rows }: Device, id: string, fields: Partial<Note>) {
  return rows.update(id, (draft) => {
    Object.assign(draft, fields)
  })
}

export function persisted(
  ...transactions: readonly { isPersisted: { promise: Promise<unknown> } }[]
): Promise<unknown> {
  return Promise.all(transactions.map(({ isPersisted }) => isPersisted.promise))
}
