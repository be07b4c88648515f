import type { SyncRequest } from '../../../client/src/values/wire.ts'
import { Hand } from './hand.ts'
import { type HandDevice, type HandOptions, handDevice } from './hand-device.ts'
import type { HandSocket } from './hand-sockets.ts'
import { PlainService } from './plain-service.ts'

/** Lets a socket answer pushes and pings as the service does. */
function serve(service: PlainService, socket: HandSocket): void {
  socket.onSent = ({ type, id, body }) => {
    if (type === 'ping') queueMicrotask(() => socket.say({ type: 'pong' }))
    if (type === 'push')
      queueMicrotask(() =>
        socket.say({ type: 'ack', id, status: 200, body: service.sync(body as SyncRequest, 'id-1') }),
      )
  }
}

/** Opens a device that follows its space on a socket. */
export async function live(options: Pick<HandOptions, 'collections'> = {}) {
  const hand = new Hand()
  const service = new PlainService(() => hand.now)
  hand.sockets.onNew = (socket) => {
    serve(service, socket)
    queueMicrotask(() => socket.open())
  }
  const device = await handDevice({ hand, service, platform: hand.withSockets, ...options })
  return { ...device, socket: () => hand.sockets.last }
}

/** A frame with what another device has just written. */
export function write({ service }: HandDevice, cursor: string, key: string, value: unknown): object {
  const version = service.write(key, value)
  const change = { key, value, version, timestamp: 1, by: 'other' }
  return { type: 'changes', from: cursor, cursor: version, changes: [change] }
}

/** The position of the copy of a device. */
export const cursorOf = async ({ store }: HandDevice) => (await store.read({})).state?.cursor ?? ''
