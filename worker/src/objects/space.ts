import { type Config, DEFAULT_CONFIG } from '../core/config.ts'
import { type Alarm, alarmOf } from './alarm.ts'
import { configReader } from './config.ts'
import { type Keyring, keyring } from './seal.ts'
import { type Revocation, type Standing, type Store, sqliteStore } from './store.ts'

/** What an object knows of its space. Derived from the rows, replaced only after a commit. */
export interface Space {
  readonly store: Store
  readonly keys: () => Promise<Keyring>
  readonly alarm: Alarm
  readonly transaction: <T>(work: () => T) => T
  standing: Standing
  /** What the operator decided, as far as this space has heard. */
  config: Config
  /** Hears again, if the last time is long ago. */
  readonly refreshConfig: (now: number) => Promise<void>
  /** Tokens and sessions that are no longer valid, though they look so. */
  readonly revoked: Map<string, Revocation>
}

/** Reads a space's rows; its tables must be there. Keys are derived when first needed. */
export function openSpace(ctx: DurableObjectState, env: Env): Space {
  const store = sqliteStore(ctx.storage.sql)
  const readConfig = configReader(ctx.storage.sql, env.CHRONICLE_KV)
  let keys: Promise<Keyring> | undefined
  const space: Space = {
    store,
    keys: () => (keys ??= keyring(env.MASTER_KEY, ctx.id.toString())),
    alarm: alarmOf(ctx.storage),
    transaction: (work) => ctx.storage.transactionSync(work),
    standing: store.standing(),
    config: DEFAULT_CONFIG,
    refreshConfig: async (now) => {
      space.config = await readConfig(now)
    },
    revoked: new Map(store.revoked()),
  }
  return space
}
