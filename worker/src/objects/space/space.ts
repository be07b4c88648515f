import type { Session } from '../../core/access/session.ts'
import { type Config, DEFAULT_CONFIG } from '../../core/space/config.ts'
import { type KeyNames, keyNames } from '../store/key-names.ts'
import type { Revocation } from '../store/revocation-rows.ts'
import { type SpaceKeys, spaceKeys } from '../store/seal.ts'
import { type SpaceState, type Store, sqliteStore } from '../store/store.ts'
import { type Alarm, alarmOf } from './alarm.ts'
import { type Budgets, budgets } from './budgets.ts'
import { configReader } from './config-reader.ts'
import { type InFlight, inFlight } from './in-flight.ts'

/** What an object knows of its space. Derived from the rows, replaced only after a commit. */
export interface Space {
  readonly store: Store
  /** The space's keys; before it there are no names for the rows of its entries. */
  readonly keys: () => Promise<SpaceKeys>
  /** After an erasure, which takes the secret of the names with it. */
  readonly forgetKeys: () => void
  readonly alarm: Alarm
  readonly transaction: <T>(work: () => T) => T
  state: SpaceState
  /** What the operator decided, as far as this space has heard. */
  config: Config
  /** Re-reads the configuration from KV if that is due. */
  readonly refreshConfig: (now: number) => Promise<void>
  /** Takes note of the revision of it that the Worker of a request has read. */
  readonly hearOfConfig: (revision: number | undefined, now: number) => void
  /** What has been asked lately, and by whom. */
  readonly budgets: Budgets
  /** What is being served. */
  readonly inFlight: InFlight
  /** The sessions whose exports and imports go on. */
  readonly transfers: Set<Session>
  /** Tokens and sessions that are no longer valid, though they look so. */
  readonly revoked: Map<string, Revocation>
}

/** Reads a space's rows; its tables must be there. Keys are derived when first needed. */
export function openSpace(ctx: DurableObjectState, env: Env): Space {
  let names: KeyNames = () => {
    throw new Error('a row was asked for before the keys of the space')
  }
  const store = sqliteStore(ctx.storage.sql, (key) => names(key))
  const config = configReader(ctx.storage.sql, env.CHRONICLE_KV)
  let keys: Promise<SpaceKeys> | undefined

  async function unlock(): Promise<SpaceKeys> {
    const ring = await spaceKeys(env.MASTER_KEY, ctx.id.toString())
    names = await keyNames(ctx.storage, ring, env.ENTRY_NAMES)
    return ring
  }

  const space: Space = {
    store,
    keys: () => (keys ??= unlock()),
    forgetKeys: () => {
      keys = undefined
    },
    alarm: alarmOf(ctx.storage),
    transaction: (work) => ctx.storage.transactionSync(work),
    state: store.state(),
    config: DEFAULT_CONFIG,
    refreshConfig: async (now) => {
      space.config = await config.read(now)
    },
    hearOfConfig: config.hear,
    budgets: budgets(),
    inFlight: inFlight(),
    transfers: new Set(),
    revoked: new Map(store.revoked()),
  }
  return space
}
