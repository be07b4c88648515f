import type { Store } from '../store/store.ts'
import type { Platform } from '../values/platform.ts'
import type { Json } from '../values/wire.ts'
import type { Change } from './messages.ts'

/** Encryption end to end: the service and the store of the device hold what `seal` returns. */
export interface Encryption {
  /** Is called once for each edit, and again if an update has to be made again. Its result must be JSON, and no longer than the service allows for a value. */
  readonly seal: (value: Json, key: string) => Json | Promise<Json>
  /** Is called when a row is read. If it throws, the row has no value and is left out. */
  readonly open: (sealed: Json, key: string) => Json | Promise<Json>
}

export interface ChronicleOptions {
  /** The address of the service, such as `https://sync.example.com`. */
  readonly url: string
  /**
   * Returns a token of the signed-in user: an API token, or a JWT of an identity provider that the service knows. It is
   * called at the start and whenever a session has ended, so it should ask the app's backend each time.
   */
  readonly token: () => string | Promise<string>
  /** The collections to hold on this device. All that the token grants, if absent. */
  readonly collections?: readonly string[]
  /** Names the store of this device, if one app has several at one service: one for each user, for example. */
  readonly name?: string
  readonly encryption?: Encryption
  /** Holds the copy and the queue. IndexedDB if absent, or memory where a browser has none. */
  readonly store?: Store
  /** Replaces parts of the browser, in tests. */
  readonly platform?: Partial<Platform>
}

export interface DeviceOptions extends Omit<ChronicleOptions, 'platform' | 'store'> {
  readonly platform: Platform
  /** The name of the store, of its lock and of the channel between its tabs. */
  readonly storeName: string
  readonly openStore: () => Promise<Store>
}

export interface DeviceEvents {
  readonly onChange: (change: Change) => void
  /** The store was opened again. Puts back the edits that it lacks. */
  readonly onReopened: () => Promise<void>
  /** Another tab has logged out. */
  readonly onGone: () => void
}
