import { getHlcFunctions } from 'tinybase/common'
import type { Client, ClientOptions } from '../../clients/client.ts'
import { documentText, entriesOf } from '../../clients/entries.ts'
import { openSocket } from '../socket.ts'

/** The kinds of messages of TinyBase's protocol that this client uses. */
const [RESPONSE, GET_HASHES, DIFF] = [0, 1, 3]

/**
 * Sends changes as TinyBase's own client does, and then asks for the hashes of the store, because nothing acknowledges
 * the changes. A document is one cell.
 */
export async function connect({ url, space, part, entries }: ClientOptions): Promise<Client> {
  const socket = await openSocket(`${url}/${space}`)
  const [nextTime] = getHlcFunctions(`client-${part}`)
  const own = entriesOf(part, entries)
  let round = 0

  /** Resolves when the server has replied to a request. Meanwhile answers the server, which asks for our hashes first. */
  function replied(id: string): Promise<true> {
    return socket.next((message) => {
      const [from = '', text = ''] = String(message).split('\n', 2)
      if (from !== 'S') return
      const [request, kind] = JSON.parse(text) as [string | null, number]
      if (kind === GET_HASHES && request !== null) socket.send(`S\n["${request}",${RESPONSE},[0,0]]`)
      return kind === RESPONSE && request === id ? true : undefined
    })
  }

  async function ask(id: string): Promise<void> {
    const reply = replied(id)
    socket.send(`S\n["${id}",${GET_HASHES},""]`)
    await reply
  }

  await ask('hello')
  return {
    async push(size) {
      round += 1
      const rows = own.pick(size).map((key) => {
        const cell = JSON.stringify(documentText(key, round))
        return `"${key}":[{"value":[${cell},"${nextTime()}"]}]`
      })
      const began = performance.now()
      socket.send(`\n["diff-${round}",${DIFF},[[{"entries":[{${rows.join(',')}}]}],[{}],1]]`)
      await ask(`${part}-${round}`)
      return performance.now() - began
    },
    close: socket.close,
  }
}
