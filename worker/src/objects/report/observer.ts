import type { Session } from '../../core/access/session.ts'
import type { Fault } from '../../core/fault.ts'
import type { Listener } from '../../core/feed/listener.ts'
import { defectLine } from '../../core/log-line.ts'
import { shardOf } from '../../core/report/shards.ts'
import { locatedIn } from '../../core/values/jurisdiction.ts'
import type { DevicesQuery } from '../../schema/request/query.ts'
import type { Space } from '../space/space.ts'
import type { Synced } from '../write/sync.ts'
import { deviceRows } from './device-rows.ts'
import { type Devices, devicesOf } from './devices.ts'
import { listDevices } from './list-devices.ts'
import { type Reporter, reporterOf } from './reporter.ts'

/** Takes the figures of a space that operators see. Every call but `list` returns at once and throws nothing. */
export interface Observer extends Omit<Reporter, 'changed' | 'failed'>, Pick<Devices, 'saw' | 'left'> {
  /** Logs and counts an unexpected error that no request at the edge has met. */
  failed(thrown: unknown): void
  /** A push was handled. */
  synced(session: Session, synced: Pick<Synced, 'cursor' | 'tally'>): void
  /** A push was refused. A quota that was lowered may be used up without a change. */
  refused(fault: Fault): void
  /** The reply of `GET /api/clients`. `followers`: the clients that follow on a socket now. */
  list(query: DevicesQuery, followers: readonly Listener[]): string
}

export function observerOf(ctx: DurableObjectState, env: Env, space: Space): Observer {
  const { sql } = ctx.storage
  const shared = { sql, space, clock: Date.now, report: logFailure }
  const devices = devicesOf(shared)
  const reporter = reporterOf({
    ...shared,
    name: ctx.id.name,
    // The registry is in the jurisdiction of the spaces, because it holds their names.
    registry: (name) => locatedIn(env.REGISTRY, env.JURISDICTION).getByName(shardOf(name)),
  })
  quietly(reporter.catchUp)()
  return {
    saw: quietly(devices.saw),
    left: quietly(devices.left),
    turned: quietly(reporter.turned),
    erased: quietly(reporter.erased),
    catchUp: quietly(reporter.catchUp),

    failed(thrown) {
      console.error(defectLine(env, crypto.randomUUID(), thrown))
      quietly(reporter.failed)()
    },

    synced: quietly((session, { cursor, tally }) => {
      devices.saw(session, cursor)
      if (tally.conflicts > 0) reporter.turned()
      else reporter.changed()
    }),

    refused: quietly(({ code }) => {
      if (code === 'quota-exceeded') reporter.turned()
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
