import type { Session } from '../../core/access/session.ts'
import { readUpTo } from '../../core/feed/cursor.ts'
import { type Listener, standsAt } from '../../core/feed/listener.ts'
import { MAX_DEVICES, REPORT_DELAY_MS, REPORT_INTERVAL_MS } from '../../core/values/report-limits.ts'
import type { Space } from '../space/space.ts'
import { type DeviceRow, deviceRows } from './device-rows.ts'

/**
 * Knows up to where the devices of a space have read. Each device is stored at most once an hour, because a row is
 * written for it, so what is known of a device after the object has slept may be an hour old.
 */
export interface Devices {
  /** Notes the cursor up to which a device has read. Returns at once. */
  saw(session: Session, cursor: string | null): void
  /** Notes the position of a client whose socket has closed. Returns at once. */
  left(follower: Listener): void
  /** The devices that have read since the object woke. */
  awake(): Iterable<DeviceRow>
}

export interface DevicesOptions {
  readonly sql: SqlStorage
  readonly space: Space
  readonly clock: () => number
  readonly report: (thrown: unknown) => void
}

/** A device, and when its row was written, ms; undefined until that was read. */
interface AwakeDevice extends DeviceRow {
  readonly storedAt: number | undefined
}

export function devicesOf({ sql, space, clock, report }: DevicesOptions): Devices {
  const rows = deviceRows(sql)
  const seen = new Map<string, AwakeDevice>()
  let { epoch } = space.state
  let isScheduled = false

  /** The devices of this epoch. Those of a space that was erased are forgotten. */
  function current(): Map<string, AwakeDevice> {
    if (epoch === space.state.epoch) return seen
    epoch = space.state.epoch
    seen.clear()
    return seen
  }

  function note(session: Session, seq: number): void {
    // An operator who looks is no device.
    if (session.operator !== undefined) return
    const device = deviceOf(session, seq, clock())
    const storedAt = current().get(nameOf(device))?.storedAt
    remember(seen, { ...device, storedAt })
    if (isScheduled || !isDue(storedAt, device.at)) return
    isScheduled = true
    setTimeout(storeDue, REPORT_DELAY_MS)
  }

  function storeDue(): void {
    isScheduled = false
    try {
      const now = clock()
      const candidates = [...current().values()].filter(({ storedAt }) => isDue(storedAt, now))
      const stored = rows.storedAt(candidates.map(({ client }) => client))
      const due = candidates.filter(({ client }) => isDue(stored.get(client), now))
      if (due.length > 0) rows.put(due, MAX_DEVICES)
      for (const device of candidates) {
        const storedAt = due.includes(device) ? now : stored.get(device.client)
        seen.set(nameOf(device), { ...device, storedAt })
      }
    } catch (thrown) {
      report(thrown)
    }
  }

  return {
    saw(session, cursor) {
      const seq = cursor === null ? null : readUpTo(cursor, space.state.epoch)
      // A cursor of a reply that had no body is only what the client says.
      if (seq !== null && seq <= space.state.seq) note(session, seq)
    },

    left(follower) {
      const seq = standsAt(follower, space.state.epoch)
      if (seq !== null) note(follower.session, seq)
    },

    awake: () => current().values(),
  }
}

function isDue(storedAt: number | undefined, now: number): boolean {
  return storedAt === undefined || now - storedAt >= REPORT_INTERVAL_MS
}

/** Remembers a device as the one that read last. Clients choose their own ids, so their number is bounded. */
function remember(devices: Map<string, AwakeDevice>, device: AwakeDevice): void {
  devices.delete(nameOf(device))
  devices.set(nameOf(device), device)
  const [oldest] = devices.keys()
  if (devices.size > MAX_DEVICES && oldest !== undefined) devices.delete(oldest)
}

/** Another subject may read under the same client id. */
function nameOf({ client, subject }: DeviceRow): string {
  return `${client} ${subject}`
}

export function deviceOf({ client, subject, clientVersion }: Session, seq: number, at: number): DeviceRow {
  return { client, subject, seq, at, version: clientVersion ?? null }
}
