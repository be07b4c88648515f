import { createEncoder, toUint8Array, writeVarUint } from 'lib0/encoding'
import { writeUpdate } from 'y-protocols/sync'
import { Doc } from 'yjs'
import type { Client, ClientOptions } from '../../clients/client.ts'
import { documentText, entriesOf } from '../../clients/entries.ts'
import { openSocket } from '../socket.ts'

/** y-partyserver's prefix of messages that are not part of the protocol of Yjs. */
const CUSTOM = '__YPS:'

/** Sets entries of a shared map, and then sends a message that the server answers, because Yjs acknowledges nothing. */
export async function connect({ url, space, part, entries }: ClientOptions): Promise<Client> {
  const socket = await openSocket(`${url}/parties/space/${space}`)
  const own = entriesOf(part, entries)
  const doc = new Doc()
  const map = doc.getMap('entries')
  let update: Uint8Array = new Uint8Array()
  doc.on('update', (bytes: Uint8Array) => {
    update = bytes
  })
  let round = 0
  return {
    async push(size) {
      round += 1
      doc.transact(() => {
        for (const key of own.pick(size)) map.set(key, documentText(key, round))
      })
      const mark = `${CUSTOM}${part}-${round}`
      const message = messageOf(update)
      const began = performance.now()
      const answered = socket.next((text) => (text === mark ? true : undefined))
      socket.send(message)
      socket.send(mark)
      await answered
      return performance.now() - began
    },
    close: socket.close,
  }
}

/** A message of kind 0, which is about the document. */
function messageOf(update: Uint8Array): Uint8Array {
  const encoder = createEncoder()
  writeVarUint(encoder, 0)
  writeUpdate(encoder, update)
  return toUint8Array(encoder)
}
