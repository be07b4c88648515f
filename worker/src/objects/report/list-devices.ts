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
  readonly awake: Iterable<DeviceRow>
  /** The clients that follow on a socket now. */
  readonly followers: readonly Listener[]
  /** The time, ms. */
  readonly now: number
}

/** What is in memory of a device. The position is null if it is not known. */
interface HeardDevice extends Omit<DeviceRow, 'seq'> {
  readonly seq: number | null
  readonly connected: boolean
}

/** The reply of `GET /api/clients`: the clients of a space, and where each stands. */
export function listDevices(
  space: Space,
  { after = '', limit = PAGE_DEVICES }: DevicesQuery,
  { rows, awake, followers, now }: DeviceSources,
): string {
  // The rows are counted as a whole.
  settlePending(space)
  const reading = Array.from(awake, (device) => ({ ...device, connected: false }))
  const heard = Map.groupBy([...reading, ...following(space, followers, now)], ({ client }) => client)
  const known = rows.list(after, limit + 1, [...heard.keys()])
  const page = known.slice(0, limit).map((device) => latest(device, heard.get(device.client) ?? []))
  const behind = page.map(([device]) => device).filter((device) => isBehind(device, space))
  const lacks = new Map(rows.lacks(behind).map((lack) => [lack.client, lack]))
  const clients = page.map(([device, connected]) => ({
    ...shown(device, lacks.get(device.client), space),
    connected,
  }))
  const next = known.length > limit ? (page.at(-1)?.[0].client ?? null) : null
  return JSON.stringify({ clients, next })
}

function following({ state }: Space, followers: readonly Listener[], now: number): readonly HeardDevice[] {
  const users = followers.filter(({ session }) => session.operator === undefined)
  return users.map((follower) => {
    const seq = standsAt(follower, state.epoch)
    return { ...deviceOf(follower.session, seq ?? NOTHING, now), seq, connected: true }
  })
}

/** A writer's client id is its subject's, so another subject that reads under it tells nothing of the writer. */
function isSame({ subject }: HeardDevice, device: KnownDevice): boolean {
  return device.batch === null || subject === device.subject
}

/** A device with what is in memory of it, which is newer than its row, and whether it is connected. */
function latest(device: KnownDevice, heard: readonly HeardDevice[]): readonly [KnownDevice, boolean] {
  const own = heard.filter((one) => isSame(one, device))
  const last = own
    .filter(({ seq }) => seq !== null)
    .toSorted((one, other) => (one.seq ?? 0) - (other.seq ?? 0))
    .at(-1)
  const { subject = device.subject, version = null } = last ?? own.at(-1) ?? {}
  const told = { subject, version: version ?? device.version }
  return [
    { ...device, ...told, ...(last && { seq: last.seq, at: last.at }) },
    own.some(({ connected }) => connected),
  ]
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
