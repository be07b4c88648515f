import type { Session } from '../../core/access/session.ts'
import { shardOf } from '../../core/report/shards.ts'
import type { DevicesQuery } from '../../schema/request/query.ts'
import type { Space } from '../space/space.ts'
import type { Synced } from '../write/sync.ts'
import { deviceRows } from './device-rows.ts'
import { type Devices, devicesOf, type Follower } from './devices.ts'
import { listDevices } from './list-devices.ts'
import { type Reporter, reporterOf } from './reporter.ts'

/** Takes the figures of a space that operators see. Every call but `list` returns at once and throws nothing. */
export interface Observer extends Reporter, Pick<Devices, 'saw' | 'left'> {
  /** A push was handled. */
  synced(session: Session, synced: Pick<Synced, 'cursor' | 'tally'>): void
  /** The reply of `GET /api/clients`. `followers`: the clients that follow on a socket now. */
  list(query: DevicesQuery, followers: readonly Follower[]): string
}

export function observerOf(ctx: DurableObjectState, env: Env, space: Space): Observer {
  const { sql } = ctx.storage
  const shared = { sql, space, clock: Date.now, report: logFailure }
  const devices = devicesOf(shared)
  const reporter = reporterOf({
    ...shared,
    name: ctx.id.name,
    registry: (name) => registryOf(env).getByName(shardOf(name)),
  })
  return {
    saw: quietly(devices.saw),
    left: quietly(devices.left),
    changed: quietly(reporter.changed),
    turned: quietly(reporter.turned),
    erased: quietly(reporter.erased),
    retry: quietly(reporter.retry),

    synced: quietly((session, { cursor, tally }) => {
      devices.saw(session, cursor)
      if (tally.conflicts > 0) reporter.turned()
      else reporter.changed()
    }),

    list: (query, followers) =>
      listDevices(space, query, {
        rows: deviceRows(sql),
        awake: devices.awake(),
        followers,
        now: Date.now(),
      }),
  }
}

/** The registry in the jurisdiction of the spaces, because it holds their names. */
function registryOf({ REGISTRY, JURISDICTION }: Env): Env['REGISTRY'] {
  if (JURISDICTION === 'none') return REGISTRY
  // The program binds "none" or one of the platform's jurisdictions.
  return REGISTRY.jurisdiction(JURISDICTION as DurableObjectJurisdiction)
}

/** Catches what a call throws: a change that is stored, or an alarm, does not fail for the figures. */
function quietly<A extends readonly unknown[]>(act: (...args: A) => void): (...args: A) => void {
  return (...args) => {
    try {
      act(...args)
    } catch (thrown) {
      logFailure(thrown)
    }
  }
}

/** Neither a request nor an alarm depends on a report, and the next one makes up for it. */
function logFailure(thrown: unknown): void {
  console.warn(JSON.stringify({ level: 'warn', message: 'space not reported', error: String(thrown) }))
}
