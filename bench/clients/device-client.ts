import type { Client, ClientOptions } from './client.ts'
import { type Device, deviceOf } from './device.ts'
import { entriesOf } from './entries.ts'
import { poster } from './requests.ts'

/** A device that sends its batches by `POST /api/sync`. */
export function connect(options: ClientOptions): Promise<Client> {
  const { part, entries } = options
  return Promise.resolve(pushing(options, deviceOf(entriesOf(part, entries))))
}

/** Sends the batches of a device on a connection of its own. */
export function pushing({ url, credential }: ClientOptions, device: Device): Client {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${credential}` }
  const { post, close } = poster(url, '/api/sync', headers)
  return {
    async push(size) {
      const { text, ms } = await post(device.body(size))
      device.learn(JSON.parse(text))
      return ms
    },
    close,
  }
}
