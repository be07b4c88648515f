import type { Client, ClientOptions } from '../../clients/client.ts'
import { documentText, entriesOf } from '../../clients/entries.ts'
import { poster } from '../../clients/requests.ts'

interface Written {
  readonly ok?: true
  readonly id: string
  readonly rev: string
}

/** Writes documents on their latest revisions, by `_bulk_docs`. The reply has the new revisions. */
export function connect({ url, space, part, entries }: ClientOptions): Promise<Client> {
  const { post, close } = poster(url, `/${space}/_bulk_docs`, { 'content-type': 'application/json' })
  const own = entriesOf(part, entries)
  const revisions = new Map<string, string>()
  let round = 0
  return Promise.resolve({
    async push(size) {
      round += 1
      const docs = own.pick(size).map((key) => {
        const revision = revisions.get(key)
        const base = revision === undefined ? '' : `"_rev":"${revision}",`
        return `{"_id":"${key}",${base}"value":${documentText(key, round)}}`
      })
      const { text, ms } = await post(`{"docs":[${docs.join(',')}]}`)
      for (const { ok, id, rev } of JSON.parse(text) as Written[]) {
        if (!ok) throw new Error(`${id} was refused: ${text.slice(0, 300)}`)
        revisions.set(id, rev)
      }
      return ms
    },
    close,
  })
}
