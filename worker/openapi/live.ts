import { ENDINGS as CLOSES, type SocketEnding } from '../src/core/socket-ending.ts'
import type { Json } from '../src/core/values/json.ts'
import { ENDINGS } from './codes.ts'

const CHANGE = {
  key: 'notes/2',
  value: { t: 1 },
  timestamp: 1_795_346_999_000,
  version: 'k3x9q2.1044',
  by: 'tablet',
}
const EDIT = { key: 'notes/2', value: { t: 2 }, timestamp: 1_795_347_000_100, base: 'k3x9q2.1044' }

/** Each frame of a short conversation, in its order. */
export const FRAME_EXAMPLES: { readonly [name: string]: Json } = {
  changes: { type: 'changes', from: 'k3x9q2.1043', cursor: 'k3x9q2.1044', changes: [CHANGE] },
  seen: { type: 'seen', cursor: 'k3x9q2.1044' },
  push: { type: 'push', id: 'p1', body: { batch: 43, cursor: 'k3x9q2.1044', changes: [EDIT] } },
  ack: {
    type: 'ack',
    id: 'p1',
    status: 200,
    body: {
      success: true,
      synced: ['notes/2'],
      conflicts: [],
      results: [{ key: 'notes/2', status: 'applied', version: 'k3x9q2.1045' }],
      changes: [],
      cursor: 'k3x9q2.1045',
      more: false,
      reset: false,
      head: 'k3x9q2.1045',
      replayed: false,
      serverTime: 1_795_347_000_200,
    },
  },
  poke: { type: 'poke', head: 'k3x9q2.2045' },
  ping: { type: 'ping' },
  pong: { type: 'pong' },
}

/** What OpenAPI has no words for: who sends which frames, and how the server ends a socket. */
export const SOCKET: Json = {
  subprotocol: 'chronicle.v1',
  server: { $ref: '#/components/schemas/ServerFrame' },
  client: { $ref: '#/components/schemas/ClientFrame' },
  closes: Object.entries(CLOSES).map(([ending, [code, reason]]) => {
    // The keys of the record are its endings.
    const [action, sentence] = ENDINGS[ending as SocketEnding]
    return { code, reason, 'x-action': action, description: sentence }
  }),
}
