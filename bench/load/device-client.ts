import type { Client, ClientOptions } from './client.ts'
import { deviceOf } from './device.ts'
import { entriesOf } from './entries.ts'
import { poster } from './requests.ts'

/** A device that sends its batches by `POST /api/sync`. */
export function connect({ url, credential, part, entries }: ClientOptions): Promise<Client> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${credential}` }
  const { post, close } = poster(url, '/api/sync', headers)
  const device = deviceOf(entriesOf(part, entries))
  return Promise.resolve({
    async push(size) {
      const { text, ms } = await post(device.body(size))
      device.learn(JSON.parse(text))
      return ms
    },
    close,
  })
}
