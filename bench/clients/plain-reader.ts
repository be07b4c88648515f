import type { Client, ClientOptions } from './client.ts'
import { reader } from './requests.ts'

/** The length of a page of the bare object. */
const PAGE = 500

/** Reads the entries of a bare object in the order of their keys, page by page. `push` reads one page. */
export function connect({ url, space }: ClientOptions): Promise<Client> {
  const { get, close } = reader(url, {})
  let after = ''
  return Promise.resolve({
    async push() {
      const { text, ms } = await get(`/${space}?after=${encodeURIComponent(after)}`)
      const page = JSON.parse(text) as { after: string; changes: readonly unknown[] }
      after = page.changes.length === PAGE ? page.after : ''
      return ms
    },
    close,
  })
}
