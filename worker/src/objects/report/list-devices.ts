import { formatVersion } from '../../core/values/version.ts'
import type { DevicesQuery } from '../../schema/request/query.ts'
import { settlePending } from '../space/draft.ts'
import type { Space } from '../space/space.ts'
import type { DeviceRow, DeviceRows, KnownDevice, Lack } from './device-rows.ts'
import { deviceOf, type Follower } from './devices.ts'

interface DeviceSources {
  readonly rows: DeviceRows
  readonly awake: ReadonlyMap<string, DeviceRow>
  /** The clients that follow on a socket now. */
  readonly followers: readonly Follower[]
  /** The time, ms. */
  readonly now: number
}

/** The reply of `GET /api/clients`: the clients of a space, and where each stands. */
export function listDevices(
  space: Space,
  { after = '', limit }: DevicesQuery,
  { rows, awake, followers, now }: DeviceSources,
): string {
  // The rows are counted as a whole.
  settlePending(space)
  const users = followers.filter(({ session }) => session.operator === undefined)
  const online = new Map(users.map(({ session, stood }) => [session.client, deviceOf(session, stood, now)]))
  const known = rows.list(after, limit + 1, [...awake.keys(), ...online.keys()])
  const page = known.slice(0, limit).map((device) => latest(device, awake, online))
  const positions = page.flatMap(({ client, seq }) => (seq === null ? [] : [[client, seq] as const]))
  const lacks = new Map(rows.lacks(positions).map((lack) => [lack.client, lack]))
  const clients = page.map((device) => ({
    ...shown(device, lacks.get(device.client), space),
    connected: online.has(device.client),
  }))
  return JSON.stringify({ clients, next: known.length > limit ? (page.at(-1)?.client ?? null) : null })
}

/** A device with what is known of it in memory, which is newer than its row. */
function latest(device: KnownDevice, ...sources: readonly ReadonlyMap<string, DeviceRow>[]): KnownDevice {
  const found = sources.flatMap((devices) => devices.get(device.client) ?? [])
  const last = found.toSorted((one, other) => one.seq - other.seq).at(-1)
  if (last === undefined || last.seq < (device.seq ?? 0)) return device
  return { ...device, ...last, version: last.version ?? device.version }
}

function shown(
  { client, subject, version, seq, at, batch, arrived, skew }: KnownDevice,
  lack: Lack | undefined,
  { state }: Space,
): object {
  return {
    ...{ clientId: client, subject: subject ?? '', version, lastBatch: batch, batchAt: arrived, skew },
    position: seq === null ? null : formatVersion(state.epoch, seq),
    behind: seq === null ? state.entries : (lack?.count ?? 0),
    behindSince: lack?.since ?? null,
    seenAt: at,
  }
}
