import { setTimeout } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { expect } from 'vitest'
import { LiveDevice } from '../../support/devices/live-device.ts'
import { OfflineDevice } from '../../support/devices/offline-device.ts'

/**
 * Runs a device that keeps syncing through failures and counts them. A screen beside it follows the space on a socket.
 * When a deployment drops the socket, the screen opens a new one from its last position.
 */
export function restlessDevice(name: string, url: string, token: string) {
  const device = new OfflineDevice(name, url)
  const screen = new LiveDevice(`${name}-screen`, url)
  const seen = { attempts: 0, failures: 0 }
  let stopping = false
  async function loop(): Promise<void> {
    while (!stopping) {
      seen.attempts += 1
      if (device.unsent === 0) device.put(`live/${seen.attempts}`, { n: seen.attempts })
      await device.sync().catch(() => {
        seen.failures += 1
      })
      // Stays below the declared limit of 600 requests a minute.
      await setTimeout(120)
    }
    await device.sync()
  }
  return {
    device,
    seen,
    screen,
    async start() {
      await device.open(token)
      await screen.start(token)
      const running = loop()
      return async () => {
        stopping = true
        await running
        await hasAll(screen, device)
        screen.stop()
      }
    },
  }
}

/** Waits until the screen has the entries of the device, from frames alone. */
async function hasAll(screen: LiveDevice, device: OfflineDevice): Promise<void> {
  const shown = () => isDeepStrictEqual(screen.entries(), device.entries())
  for (let waited = 0; !shown() && waited < 20_000; waited += 100) await setTimeout(100)
  expect(screen.entries()).toEqual(device.entries())
}
