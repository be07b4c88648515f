import type { Client, ClientOptions } from './client.ts'
import { reader } from './requests.ts'

/** Reads the feed by its cursor, page by page, again and again. `push` reads one page. */
export function connect({ url, credential }: ClientOptions): Promise<Client> {
  const { get, close } = reader(url, { authorization: `Bearer ${credential}` })
  let cursor = ''
  return Promise.resolve({
    async push(size) {
      const path = `/api/changes?limit=${size}${cursor && `&cursor=${encodeURIComponent(cursor)}`}`
      const { text, ms } = await get(path)
      const page = JSON.parse(text) as { cursor: string; more: boolean }
      cursor = page.more ? page.cursor : ''
      return ms
    },
    close,
  })
}
