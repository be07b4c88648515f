import { LIVE_QUERY_WORDS, LiveQuery } from '../../src/schema/request/query.ts'
import { NOW, SESSION } from './examples.ts'
import type { Operations } from './operation.ts'
import { FRAME_EXAMPLES, SOCKET } from './socket.ts'

export const LIVE = {
  'GET /api/live': {
    id: 'openSocket',
    tag: 'Live',
    access: 'session',
    summary: 'Follow the feed on a WebSocket, and push',
    description:
      'Offer the subprotocols `chronicle.v1` and `ticket.<ticket>`, from `POST /api/live/ticket`. A client that is not a browser may send `Authorization` instead. The older subprotocol `bearer.<session>` exposes the session to the logs of proxies. Frames are JSON texts: the rules LV of docs/spec.md.',
    query: { schema: LiveQuery, words: LIVE_QUERY_WORDS },
    reply: {
      status: 101,
      description: 'The socket. Each text message on it is a frame.',
      schema: 'Frame',
      examples: FRAME_EXAMPLES,
      socket: SOCKET,
    },
    faults: [
      'forbidden-scope',
      'forbidden-collection',
      'forbidden-origin',
      'upgrade-required',
      'ticket-spent',
    ],
  },
  'POST /api/live/ticket': {
    id: 'issueTicket',
    tag: 'Live',
    access: 'session',
    summary: 'Get a ticket for a socket',
    description: 'The ticket opens one socket of the session, within a minute. Needs the scope `sync:read`.',
    reply: {
      status: 200,
      schema: 'TicketReply',
      example: { success: true, ticket: SESSION, expiresAt: NOW + 60_000 },
    },
    faults: ['forbidden-scope'],
  },
} as const satisfies Partial<Operations>
