import { type Listener, standsAt } from '../../core/feed/listener.ts'
import { PAGE_DEVICES } from '../../core/values/report-limits.ts'
import { formatVersion, NOTHING } from '../../core/values/version.ts'
import type { DevicesQuery } from '../../schema/request/query.ts'
import { settlePending } from '../space/draft.ts'
import type { Space } from '../space/space.ts'
import type { DeviceRow, DeviceRows, KnownDevice, Lack } from './device-rows.ts'
import { deviceOf } from './devices.ts'

interface DeviceSources {
  readonly rows: DeviceRows
  readonly awake: ReadonlyMap<string, DeviceRow>
  /** The clients that follow on a socket now. */
  readonly followers: readonly Listener[]
  /** The time, ms. */
  readonly now: number
}

/** The reply of `GET /api/clients`: the clients of a space, and where each stands. */
export function listDevices(
  space: Space,
  { after = '', limit = PAGE_DEVICES }: DevicesQuery,
  { rows, awake, followers, now }: DeviceSources,
): string {
  // The rows are counted as a whole.
  settlePending(space)
  const online = onlineDevices(space, followers, now)
  const known = rows.list(after, limit + 1, [...awake.keys(), ...online.keys()])
  const page = known.slice(0, limit).map((device) => latest(device, online, awake))
  const lacks = new Map(
    rows.lacks(page.filter((device) => isBehind(device, space))).map((lack) => [lack.client, lack]),
  )
  const clients = page.map((device) => ({
    ...shown(device, lacks.get(device.client), space),
    connected: online.has(device.client),
  }))
  return JSON.stringify({ clients, next: known.length > limit ? (page.at(-1)?.client ?? null) : null })
}

/** The clients that follow on a socket, each with its position; null if that is not known. */
function onlineDevices(
  { state }: Space,
  followers: readonly Listener[],
  now: number,
): ReadonlyMap<string, DeviceRow | null> {
  const users = followers.filter(({ session }) => session.operator === undefined)
  return new Map(
    users.map((follower) => {
      const seq = standsAt(follower, state.epoch)
      return [follower.session.client, seq === null ? null : deviceOf(follower.session, seq, now)]
    }),
  )
}

/**
 * A device with what is known of it in memory, which is newer than its row. A writer's client id is its subject's, so
 * another subject that reads under it tells nothing.
 */
function latest(
  device: KnownDevice,
  ...sources: readonly ReadonlyMap<string, DeviceRow | null>[]
): KnownDevice {
  const last = sources
    .flatMap((devices) => devices.get(device.client) ?? [])
    .find(({ subject }) => device.batch === null || subject === device.subject)
  return last === undefined ? device : { ...device, ...last, version: last.version ?? device.version }
}

/** Looks at the head alone: most devices lack nothing, and counting what one lacks reads all entry rows. */
function isBehind({ seq }: KnownDevice, { state }: Space): boolean {
  return (seq ?? NOTHING) < state.seq
}

function shown(
  { client, subject, version, seq, at, batch, arrived, skew }: KnownDevice,
  lack: Lack | undefined,
  { state }: Space,
): object {
  return {
    ...{ clientId: client, subject: subject ?? '', version, lastBatch: batch, batchAt: arrived, skew },
    position: seq === null ? null : formatVersion(state.epoch, seq),
    behind: lack?.count ?? 0,
    behindSince: lack?.since ?? null,
    seenAt: at,
  }
}
