import { type Config, DEFAULT_CONFIG } from '../core/config.ts'
import { type Keyring, keyring } from './seal.ts'
import { type Standing, type Store, sqliteStore } from './store.ts'

/** What an object knows of its space. Derived from the rows, replaced only after a commit. */
export interface Space {
  readonly store: Store
  readonly keys: () => Promise<Keyring>
  readonly transaction: <T>(work: () => T) => T
  standing: Standing
  /** What the operator decided, as far as this space has heard. */
  config: Config
  /** Tokens and sessions that are no longer valid, though they look so. */
  readonly revoked: Set<string>
}

/** Reads a space's rows; its tables must be there. Keys are derived when first needed. */
export function openSpace(ctx: DurableObjectState, masterKey: string): Space {
  const store = sqliteStore(ctx.storage.sql)
  let keys: Promise<Keyring> | undefined
  return {
    store,
    keys: () => (keys ??= keyring(masterKey, ctx.id.toString())),
    transaction: (work) => ctx.storage.transactionSync(work),
    standing: store.standing(),
    config: DEFAULT_CONFIG,
    revoked: new Set(store.revoked().map(({ id }) => id)),
  }
}
