import { onTestFinished } from 'vitest'
import { Chronicle } from '../../../client/src/chronicle.ts'
import type { DeviceOptions } from '../../../client/src/device/options.ts'
import { MemoryStore } from '../../../client/src/store/memory.ts'
import type { Store } from '../../../client/src/store/store.ts'
import type { Platform } from '../../../client/src/values/platform.ts'
import { Hand, settle } from './hand.ts'
import { PlainService } from './plain-service.ts'

/** A client whose clock and service a test drives by hand. */
export interface HandDevice {
  readonly db: Chronicle
  readonly hand: Hand
  readonly service: PlainService
  readonly store: Store
}

export interface HandOptions extends Partial<Omit<DeviceOptions, 'platform'>> {
  readonly hand?: Hand
  readonly service?: PlainService
  readonly store?: Store
  readonly platform?: Partial<Platform>
}

export const URL_OF_SERVICE = 'https://sync.test'

/** Opens a client, which has synced once when it is returned unless the service does not answer. */
export async function handDevice(options: HandOptions = {}): Promise<HandDevice> {
  const { hand = new Hand(), store = new MemoryStore(), platform, ...rest } = options
  const service = options.service ?? new PlainService(() => hand.now)
  const db = await Chronicle.open({
    ...{ url: URL_OF_SERVICE, storeName: 'test', token: () => 'token', openStore: async () => store },
    ...rest,
    platform: hand.platform(service.fetch, platform),
  })
  onTestFinished(() => db.close({ discard: true }).catch(() => {}))
  await settle()
  return { db, hand, service, store }
}

/** The content of a collection by id, without the fields of the client. */
export async function contentOf(db: Chronicle, name = 'notes'): Promise<Record<string, unknown>> {
  const rows = await db.collection(name).all()
  return Object.fromEntries(rows.map((row) => [row.$id, JSON.parse(JSON.stringify(row))]))
}

/** How a promise stands, without waiting for it. */
export async function stateOf(promise: Promise<unknown>): Promise<'pending' | 'fulfilled' | 'rejected'> {
  let state: 'pending' | 'fulfilled' | 'rejected' = 'pending'
  promise.then(
    () => {
      state = 'fulfilled'
    },
    () => {
      state = 'rejected'
    },
  )
  await settle()
  return state
}
