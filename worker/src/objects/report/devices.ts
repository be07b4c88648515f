import type { Session } from '../../core/access/session.ts'
import { readUpTo } from '../../core/feed/cursor.ts'
import type { Listener } from '../../core/feed/listener.ts'
import { MAX_DEVICES, REPORT_DELAY_MS, REPORT_INTERVAL_MS } from '../../core/values/report-limits.ts'
import type { Space } from '../space/space.ts'
import { type DeviceRow, deviceRows } from './device-rows.ts'

/** A client on a socket, and the last position that it has confirmed. */
export type Follower = Pick<Listener, 'session' | 'epoch' | 'stood'>

/**
 * Knows up to where the devices of a space have read. Each device is stored at most once an hour, because a row is
 * written for it, so what is known of a device after the object has slept may be an hour old.
 */
export interface Devices {
  /** Notes the cursor up to which a device has read. Returns at once. */
  saw(session: Session, cursor: string | null): void
  /** Notes the position of a client whose socket has closed. Returns at once. */
  left(follower: Follower): void
  /** The devices that have read since the object woke, by client. */
  awake(): ReadonlyMap<string, DeviceRow>
}

export interface DevicesOptions {
  readonly sql: SqlStorage
  readonly space: Space
  readonly clock: () => number
  readonly report: (thrown: unknown) => void
}

export function devicesOf({ sql, space, clock, report }: DevicesOptions): Devices {
  const rows = deviceRows(sql)
  const seen = new Map<string, DeviceRow>()
  /** When the rows of these devices were written, ms. */
  const storedAt = new Map<string, number>()
  let { epoch } = space.state
  let isScheduled = false

  /** The devices of this epoch. Those of a space that was erased are forgotten. */
  function current(): Map<string, DeviceRow> {
    if (epoch === space.state.epoch) return seen
    epoch = space.state.epoch
    seen.clear()
    storedAt.clear()
    return seen
  }

  function isDue(client: string, now: number): boolean {
    return now - (storedAt.get(client) ?? 0) >= REPORT_INTERVAL_MS
  }

  function note(session: Session, seq: number): void {
    // An operator who looks is no device.
    if (session.operator !== undefined) return
    const device = deviceOf(session, seq, clock())
    remember(current(), device)
    if (isScheduled || !isDue(device.client, device.at)) return
    isScheduled = true
    setTimeout(storeDue, REPORT_DELAY_MS)
  }

  function storeDue(): void {
    isScheduled = false
    try {
      const now = clock()
      const candidates = [...current().values()].filter(({ client }) => isDue(client, now))
      for (const [client, at] of rows.storedAt(candidates.map(({ client }) => client)))
        storedAt.set(client, at)
      const due = candidates.filter(({ client }) => isDue(client, now))
      if (due.length === 0) return
      rows.put(due, MAX_DEVICES)
      for (const { client } of due) storedAt.set(client, now)
    } catch (thrown) {
      report(thrown)
    }
  }

  return {
    saw(session, cursor) {
      const seq = cursor === null ? null : readUpTo(cursor, space.state.epoch)
      if (seq !== null) note(session, seq)
    },

    left({ session, epoch: of, stood }) {
      if (of === space.state.epoch && stood >= 0) note(session, stood)
    },

    awake: current,
  }
}

/** Remembers a device as the one that read last. Clients choose their own ids, so their number is bounded. */
function remember(devices: Map<string, DeviceRow>, device: DeviceRow): void {
  devices.delete(device.client)
  devices.set(device.client, device)
  const [oldest] = devices.keys()
  if (devices.size > MAX_DEVICES && oldest !== undefined) devices.delete(oldest)
}

export function deviceOf({ client, subject, clientVersion }: Session, seq: number, at: number): DeviceRow {
  return { client, subject, seq, at, version: clientVersion ?? null }
}
