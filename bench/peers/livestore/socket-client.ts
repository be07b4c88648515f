import type { Client, ClientOptions } from '../../clients/client.ts'
import { entriesOf } from '../../clients/entries.ts'
import { openSocket } from '../socket.ts'
import { eventsOf, outcomeOf, pushText } from './events.ts'

/**
 * Pushes events. The server takes those that follow its head and refuses others. This client then sends them again
 * behind the head that it was told, where LiveStore's own client pulls and rebases first.
 */
export async function connect({ url, space, part, entries }: ClientOptions): Promise<Client> {
  const socket = await openSocket(`${url}/?storeId=${space}&transport=ws`)
  const own = entriesOf(part, entries)
  let [round, id, head] = [0, 0, 0]

  async function push(args: readonly string[]): Promise<void> {
    for (;;) {
      id += 1
      const request = id
      const reply = socket.next((text) => outcomeOf(String(text), request))
      socket.send(pushText('SyncWsRpc.Push', { id, space, part }, { args, head }))
      const { accepted, head: serverHead } = await reply
      head = accepted ? head + args.length : (serverHead ?? head)
      if (accepted) return
    }
  }

  return {
    async push(size) {
      round += 1
      const pushes = eventsOf(own, size, round)
      const began = performance.now()
      for (const args of pushes) await push(args)
      return performance.now() - began
    },
    close: socket.close,
  }
}
