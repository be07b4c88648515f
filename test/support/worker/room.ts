import { type Device, device, mint } from './client.ts'
import type { Follower } from './follower.ts'

export const T = Date.now() - 60_000

export interface Entry {
  readonly key: string
  readonly value?: unknown
  readonly version: string
}

export function puts(keys: readonly string[], value: unknown = 'x'): object[] {
  return keys.map((key) => ({ key, value, timestamp: T }))
}

export function numbered(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}/${index}`)
}

export async function roomOf(
  count: number,
  wanted: object = {},
): Promise<{ space: string; devices: Device[] }> {
  const space = crypto.randomUUID()
  const { token } = await mint({ space, ...wanted })
  const devices = await Promise.all(Array.from({ length: count }, () => device({ token })))
  return { space, devices }
}

export async function pushed(socket: Follower, id: string, body: unknown) {
  socket.say({ type: 'push', id, body })
  for (;;) {
    const frame = await socket.next()
    if (frame.type === 'ack' && frame.id === id) return frame
  }
}
