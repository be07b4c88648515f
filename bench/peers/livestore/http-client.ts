import type { Client, ClientOptions } from '../../clients/client.ts'
import { entriesOf } from '../../clients/entries.ts'
import { poster } from '../../clients/requests.ts'
import { eventsOf, outcomeOf, pushText } from './events.ts'

/** Pushes events like the client for sockets. */
export function connect({ url, space, part, entries }: ClientOptions): Promise<Client> {
  const headers = { 'content-type': 'application/json' }
  const { post, close } = poster(url, `/?storeId=${space}&transport=http`, headers)
  const own = entriesOf(part, entries)
  let [round, id, head] = [0, 0, 0]

  /** Returns how long the replies took, ms. */
  async function push(args: readonly string[]): Promise<number> {
    let total = 0
    for (;;) {
      id += 1
      const { text, ms } = await post(pushText('SyncHttpRpc.Push', { id, space, part }, { args, head }))
      total += ms
      const outcome = outcomeOf(text, id)
      if (outcome === undefined) throw new Error(`no reply to the push: ${text.slice(0, 300)}`)
      head = outcome.accepted ? head + args.length : (outcome.head ?? head)
      if (outcome.accepted) return total
    }
  }

  return Promise.resolve({
    async push(size) {
      round += 1
      let total = 0
      for (const args of eventsOf(own, size, round)) total += await push(args)
      return total
    },
    close,
  })
}
