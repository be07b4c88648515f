import type { Session } from '../../core/access/session.ts'
import { type Config, DEFAULT_CONFIG } from '../../core/space/config.ts'
import { type KeyNames, keyNames } from '../store/key-names.ts'
import type { Revocation } from '../store/revocation-rows.ts'
import { type SpaceKeys, spaceKeys } from '../store/seal.ts'
import { sqliteStore } from '../store/store.ts'
import { type Alarm, alarmOf } from './alarm.ts'
import { type Budgets, budgets } from './budgets.ts'
import { configReader } from './config-reader.ts'
import { draftOf, type StoredSpace } from './draft.ts'
import { type Group, groupOf } from './group.ts'
import { type InFlight, inFlight } from './in-flight.ts'
import { knownVersions } from './known-versions.ts'
import { recentChanges } from './recent-changes.ts'
import { type Tracer, tracerOf } from './tracer.ts'

/** A space in memory. `revoked` is derived from the rows like `state`. */
export interface Space extends StoredSpace {
  /** Derives the space's keys when first called. The rows of entries cannot be read before it has resolved. */
  readonly keys: () => Promise<SpaceKeys>
  /** Drops the keys. Call it after an erasure, which deletes the secret of the key names. */
  readonly forgetKeys: () => void
  readonly alarm: Alarm
  readonly tracer: Tracer
  /** The operator's settings, as last read by this space. */
  config: Config
  /** Re-reads the configuration from KV if that is due. */
  readonly refreshConfig: (now: number) => Promise<void>
  /** Takes the configuration revision that the Worker of a request has read. */
  readonly hearOfConfig: (revision: number | undefined, now: number) => void
  /** The rate limits of the space and its clients. */
  readonly budgets: Budgets
  /** The batches that are ready to be committed. */
  readonly group: Group
  /** The requests in flight. */
  readonly inFlight: InFlight
  /** The sessions whose exports and imports are under way. */
  readonly transfers: Set<Session>
  /** The revocations of tokens and sessions, by id. */
  readonly revoked: Map<string, Revocation>
}

/** Opens a space whose tables exist. Its keys are derived when first needed. Without `tracing` it adds to no trace. */
export function openSpace(ctx: DurableObjectState, env: Env, tracing?: Tracing): Space {
  let names: KeyNames = () => {
    throw new Error('entry rows cannot be read before the keys are derived')
  }
  const store = sqliteStore(
    ctx.storage.sql,
    (key) => names(key),
    () => space.state.pending,
  )
  const tracer = tracerOf(tracing)
  const config = configReader(ctx.storage.sql, env.CHRONICLE_KV)
  let keys: Promise<SpaceKeys> | undefined

  async function unlock(): Promise<SpaceKeys> {
    const derived = await spaceKeys(env.MASTER_KEY, ctx.id.toString())
    names = await keyNames(ctx.storage, derived, env.ENTRY_NAMES)
    return derived
  }

  /** Lets the next request derive the keys again, because the names may not have been stored. */
  function forget(thrown: unknown): never {
    keys = undefined
    throw thrown
  }

  const space: Space = {
    store,
    keys: () => (keys ??= unlock().catch(forget)),
    forgetKeys: () => {
      keys = undefined
    },
    alarm: alarmOf(ctx.storage),
    tracer,
    transaction(work) {
      try {
        return tracer.span('commit', () => ctx.storage.transactionSync(work))
      } catch (thrown) {
        store.forgetEntries()
        throw thrown
      }
    },
    state: store.state(),
    recent: recentChanges(),
    known: knownVersions(),
    config: DEFAULT_CONFIG,
    refreshConfig: async (now) => {
      space.config = await config.read(now)
    },
    hearOfConfig: config.hear,
    budgets: budgets(),
    group: groupOf(
      (reads) => draftOf(space, reads),
      () => ctx.storage.sync(),
    ),
    inFlight: inFlight(),
    transfers: new Set(),
    revoked: new Map(store.revoked()),
  }
  return space
}
