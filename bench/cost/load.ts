import { type Bases, type Device, httpDevice, seqOf, socketDevice } from './device.ts'
import type { CountedService } from './service.ts'

/** A load on one space. */
export interface Load {
  readonly transport: 'HTTP' | 'socket'
  readonly batch: number
  /** `hot`: all devices take turns on one key. `random`: each writes keys of its own, each about four times. */
  readonly keys: 'hot' | 'random'
  readonly changes: number
}

/** As many devices as a space has: those of one user. */
const DEVICES = 3

/** How often a load writes each of its random keys. */
const WRITES_A_KEY = 4

/** A space with its devices. */
export interface Users {
  readonly devices: readonly Device[]
  readonly bases: Bases
  readonly token: string
}

interface UsersWanted {
  readonly count: number
  readonly transport: Load['transport']
  /** Whether each push over HTTP also pulls. */
  readonly pulls?: boolean
  /** The token of their space. */
  readonly token: string
}

/** Opens a session for each user, and a socket if wanted. */
export async function usersOf(
  service: CountedService,
  { count, transport, pulls = false, token }: UsersWanted,
): Promise<Users> {
  const bases: Bases = new Map()
  const devices: Device[] = []
  for (let index = 0; index < count; index++) {
    const made =
      transport === 'HTTP'
        ? httpDevice(service, token, { bases, pulls })
        : socketDevice(service, token, bases)
    devices.push(await made)
  }
  return { devices, bases, token }
}

/** Sends the load. Over sockets, a device's next push waits until every device has confirmed the one before. */
export async function send({ devices, bases }: Users, { batch, keys, changes }: Load): Promise<void> {
  const rounds = Math.ceil(changes / batch / DEVICES)
  if (keys === 'hot') {
    for (let round = 0; round < rounds; round++)
      for (const device of devices) {
        await device.push(['notes/hot'])
        await confirmed(devices, bases, 'notes/hot')
      }
    return
  }
  const share = Math.max(batch, Math.floor(changes / WRITES_A_KEY / DEVICES))
  await Promise.all(
    devices.map(async (device, part) => {
      for (let round = 0; round < rounds; round++) {
        const wanted = randomKeys({ part, share, batch })
        await device.push(wanted)
        await confirmed([device], bases, wanted.at(-1) ?? '')
      }
    }),
  )
}

/** The devices of a load, in a new space. */
export async function loadUsers(service: CountedService, { transport }: Load): Promise<Users> {
  return usersOf(service, { count: DEVICES, transport, token: await service.mint() })
}

/** Ends devices, once each has taken what it was sent. */
export async function closeAll(devices: readonly Device[]): Promise<void> {
  await Promise.all(devices.map((device) => device.close()))
}

/** Waits until devices have confirmed the latest version of a key. */
export async function confirmed(devices: readonly Device[], bases: Bases, key: string): Promise<void> {
  const version = seqOf(bases.get(key) ?? '')
  await Promise.all(devices.map((device) => device.reached(version)))
}

function randomKeys({
  part,
  share,
  batch,
}: {
  part: number
  share: number
  batch: number
}): readonly string[] {
  const keys = new Set<string>()
  while (keys.size < batch) keys.add(`notes/${part}-${Math.floor(Math.random() * share)}`)
  return [...keys]
}
