import type { Client, ClientOptions } from './client.ts'
import { documentText, entriesOf } from './entries.ts'
import { poster } from './requests.ts'

/** Sends what a bare object accepts: keys and values. */
export function connect({ url, space, part, entries }: ClientOptions): Promise<Client> {
  const { post, close } = poster(url, `/${space}`, { 'content-type': 'application/json' })
  const own = entriesOf(part, entries)
  let round = 0
  return Promise.resolve({
    async push(size) {
      round += 1
      const changes = own.pick(size).map((key) => `{"key":"${key}","value":${documentText(key, round)}}`)
      const { ms } = await post(`{"changes":[${changes.join(',')}]}`)
      return ms
    },
    close,
  })
}
