import { evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { DAY_MS } from '../../../worker/src/core/values/limits.ts'
import { openSpace, type Space } from '../../../worker/src/objects/space/space.ts'
import type { SpaceKeys } from '../../../worker/src/objects/store/seal.ts'
import { upkeep } from '../../../worker/src/objects/upkeep/upkeep.ts'

/** Cost of a run of upkeep. */
export interface Effort {
  /** Wake-ups of the object. */
  readonly rounds: number
  readonly rowsWritten: number
  readonly rowsRead: number
  /** Time from the run to the next wake-up, ms. Null without a wake-up. */
  readonly next: number | null
}

/** Runs upkeep as it would run after some days, to its end or for `rounds` rounds. The object is then evicted. */
export async function age(
  space: string,
  days: number,
  options: { masterKeys?: string; rounds?: number } = {},
): Promise<Effort> {
  const stub = env.CHRONICLE.getByName(space)
  const effort = await runInDurableObject(stub, async (_, state) => {
    await state.storage.deleteAlarm()
    const now = Date.now() + days * DAY_MS
    const { watched, alarm, rowsWritten, rowsRead } = watch(state)
    const opened = openSpace(watched, { ...env, MASTER_KEY: options.masterKeys ?? env.MASTER_KEY })
    for (let rounds = 1; ; rounds++) {
      alarm.at = null
      opened.alarm.forget()
      await upkeep(opened, now)
      if (alarm.at !== now || rounds === options.rounds) {
        return {
          rounds,
          rowsWritten: rowsWritten(),
          rowsRead: rowsRead(),
          next: alarm.at === null ? null : alarm.at - now,
        }
      }
    }
  })
  await evictDurableObject(stub)
  return effort
}

/** Works on a second `Space` over the rows of an object. */
export async function within<T>(space: string, work: (opened: Space) => Promise<T>): Promise<T> {
  const stub = env.CHRONICLE.getByName(space)
  const result = await runInDurableObject(stub, async (_, state) => {
    await state.storage.deleteAlarm()
    return work(openSpace(watch(state).watched, env))
  })
  await evictDurableObject(stub)
  return result
}

/** Counts the rows that a second `Space` reads for some work. */
export async function rowsReadBy(space: string, work: (opened: Space) => Promise<unknown>): Promise<number> {
  return runInDurableObject(env.CHRONICLE.getByName(space), async (_, state) => {
    const { watched, rowsRead } = watch(state)
    const opened = openSpace(watched, env)
    await opened.keys()
    const before = rowsRead()
    await work(opened)
    return rowsRead() - before
  })
}

/** Flips a bit at the end of some chunks of the log, picked by their position from 1. */
export function damageChunks(space: string, isWanted: (nth: number) => boolean): Promise<void> {
  return runInDurableObject(env.CHRONICLE.getByName(space), (_, { storage: { sql } }) => {
    const rows = sql.exec<{ first: number; body: ArrayBuffer }>(
      'SELECT first, body FROM segment ORDER BY first',
    )
    let nth = 0
    for (const { first, body } of rows.toArray()) {
      const bytes = new Uint8Array(body)
      const view = new DataView(body)
      for (let end = 0; end < bytes.length; ) {
        end += 8 + view.getUint32(end) + view.getUint32(end + 4)
        nth += 1
        if (isWanted(nth)) bytes[end - 1] = (bytes[end - 1] ?? 0) ^ 1
      }
      sql.exec('UPDATE segment SET body = ? WHERE first = ?', bytes, first)
    }
  })
}

/** Runs `meanwhile` once while the space seals its next write. */
export function whileSealing(space: Space, meanwhile: () => Promise<unknown>): Promise<void> {
  return interpose(space, 'seal', meanwhile)
}

/** Runs `meanwhile` once while the space opens a chunk that it reads, because it keeps none in memory. */
export function whileOpening(space: Space, meanwhile: () => Promise<unknown>): Promise<void> {
  space.recent.forget()
  return interpose(space, 'open', meanwhile)
}

async function interpose(
  space: Space,
  name: 'seal' | 'open',
  meanwhile: () => Promise<unknown>,
): Promise<void> {
  const keys = await space.keys()
  let happened = false
  const first = async () => {
    if (happened) return
    happened = true
    await meanwhile()
  }
  const interposed: Pick<SpaceKeys, 'seal' | 'open'> = {
    seal: async (text, origin) => first().then(() => keys.seal(text, origin)),
    open: async (chunk) => first().then(() => keys.open(chunk)),
  }
  Object.assign(space, { keys: async () => ({ ...keys, [name]: interposed[name] }) })
}

/** Wraps the object's storage: its statements are collected, rows are counted, and the alarm never rings. */
export function watch(state: DurableObjectState) {
  const cursors: SqlStorageCursor<Record<string, SqlStorageValue>>[] = []
  const alarm: { at: number | null } = { at: null }
  const storage = {
    sql: {
      exec(query: string, ...bindings: SqlStorageValue[]) {
        const cursor = state.storage.sql.exec(query, ...bindings)
        cursors.push(cursor)
        return cursor
      },
      get databaseSize() {
        return state.storage.sql.databaseSize
      },
    },
    transactionSync: <R>(work: () => R): R => state.storage.transactionSync(work),
    getAlarm: async () => alarm.at,
    setAlarm: async (at: number) => {
      alarm.at = at
    },
    sync: () => state.storage.sync(),
  }
  return {
    watched: { id: state.id, storage } as unknown as DurableObjectState,
    alarm,
    cursors,
    rowsRead: () => cursors.reduce((sum, cursor) => sum + cursor.rowsRead, 0),
    rowsWritten: () => cursors.reduce((sum, cursor) => sum + cursor.rowsWritten, 0),
  }
}
