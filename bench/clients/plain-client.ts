import type { Client, ClientOptions } from './client.ts'
import { documentText, type Entries, entriesOf } from './entries.ts'
import { poster } from './requests.ts'

/** Sends what a bare object accepts: keys and values. */
export function connect(options: ClientOptions): Promise<Client> {
  return Promise.resolve(putting(options, entriesOf(options.part, options.entries)))
}

export function putting({ url, space }: ClientOptions, entries: Entries): Client {
  const { post, close } = poster(url, `/${space}`, { 'content-type': 'application/json' })
  let round = 0
  return {
    async push(size) {
      round += 1
      const changes = entries.pick(size).map((key) => `{"key":"${key}","value":${documentText(key, round)}}`)
      const { ms } = await post(`{"changes":[${changes.join(',')}]}`)
      return ms
    },
    close,
  }
}
