import * as z from 'zod/mini'
import { ClientId } from '../../src/schema/atoms.ts'
import { field, named, object } from '../../src/schema/reply/described.ts'
import { ChangesFrame, PokeFrame, PongFrame } from '../../src/schema/reply/live.ts'
import { SyncReply } from '../../src/schema/reply/sync.ts'
import { MESSAGES, PING_WORDS, PUSH_WORDS, SEEN_WORDS } from '../../src/schema/request/live.ts'
import { SyncShape } from './change.ts'
import { BATCH_FAULTS, type DocumentedCode, problemsOf } from './problems.ts'

/** Codes of the `ack` of a refused push. */
const PUSH_FAULTS: readonly DocumentedCode[] = [
  'not-json',
  'invalid-request',
  ...BATCH_FAULTS,
  'rate-limited',
  'busy',
]

/** Codes of an `error`. */
const MESSAGE_FAULTS: readonly DocumentedCode[] = ['not-json', 'invalid-request', 'rate-limited', 'busy']

const PushProblem = named('A refused push.', problemsOf(PUSH_FAULTS))
const MessageProblem = named('A refused message.', problemsOf(MESSAGE_FAULTS))
const AckFrame = object(
  'The reply to a push. If its body has a cursor, apply it like the reply of `POST /api/sync` and send `seen`.',
  {
    type: z.literal('ack'),
    id: field('The `id` of the push.', ClientId),
    status: field('The status that `POST /api/sync` would have: 200, or that of the problem.', z.int()),
    body: field('The body that the reply of `POST /api/sync` would have.', z.union([SyncReply, PushProblem])),
  },
)
const ErrorFrame = object('A message other than a push was refused. The socket stays open.', {
  type: z.literal('error'),
  body: field('The reason.', MessageProblem),
})
const PushFrame = z.extend(MESSAGES.push, { body: SyncShape })
const ServerFrame = named(
  'A message of the server.',
  z.xor([ChangesFrame, PokeFrame, AckFrame, ErrorFrame, PongFrame]),
)
const ClientFrame = named('A message of a client.', z.xor([PushFrame, MESSAGES.seen, MESSAGES.ping]))
const Frame = named(
  'A message of the socket, in either direction: a JSON text.',
  z.xor([ServerFrame, ClientFrame]),
)

/** The messages of a socket. */
export const FRAMES = {
  Frame: { schema: Frame },
  ServerFrame: { schema: ServerFrame, discriminator: 'type' },
  ClientFrame: { schema: ClientFrame, discriminator: 'type' },
  ChangesFrame: { schema: ChangesFrame },
  PokeFrame: { schema: PokeFrame },
  AckFrame: { schema: AckFrame },
  PushProblem: { schema: PushProblem, discriminator: 'code' },
  ErrorFrame: { schema: ErrorFrame },
  MessageProblem: { schema: MessageProblem, discriminator: 'code' },
  PongFrame: { schema: PongFrame },
  PushFrame: {
    schema: PushFrame,
    description: '`POST /api/sync` on the socket. Pushes take effect in the order of sending.',
    fields: PUSH_WORDS,
  },
  SeenFrame: { schema: MESSAGES.seen, ...SEEN_WORDS },
  PingFrame: { schema: MESSAGES.ping, ...PING_WORDS },
} as const
