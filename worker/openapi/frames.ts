import * as z from 'zod/mini'
import { ClientId } from '../src/schema/atoms.ts'
import { ChangesFrame, PokeFrame, PongFrame } from '../src/schema/reply/live.ts'
import { SyncReply } from '../src/schema/reply/sync.ts'
import { MESSAGES } from '../src/schema/request/live.ts'
import { described, oneOf } from './described.ts'
import { type Answered, BATCH_FAULTS, problemsOf } from './problems.ts'
import { SyncShape } from './shapes.ts'

/** Codes of the `ack` of a push that is refused. */
const PUSH_FAULTS: readonly Answered[] = [
  'not-json',
  'invalid-request',
  ...BATCH_FAULTS,
  'rate-limited',
  'busy',
]

/** Codes of an `error`. */
const MESSAGE_FAULTS: readonly Answered[] = ['not-json', 'invalid-request', 'rate-limited', 'busy']

const PushProblem = problemsOf(PUSH_FAULTS)
const MessageProblem = problemsOf(MESSAGE_FAULTS)
const AckFrame = z.object({
  type: z.literal('ack'),
  id: ClientId,
  status: z.int(),
  body: z.union([SyncReply, PushProblem]),
})
const ErrorFrame = z.object({ type: z.literal('error'), body: MessageProblem })
const PushFrame = z.extend(MESSAGES.push, { body: SyncShape })
const ServerFrame = z.xor([ChangesFrame, PokeFrame, AckFrame, ErrorFrame, PongFrame])
const ClientFrame = z.xor([PushFrame, MESSAGES.seen, MESSAGES.ping])

/** The messages of a socket. */
export const FRAMES = {
  Frame: oneOf(
    z.xor([ServerFrame, ClientFrame]),
    'A message of the socket: a JSON text, in either direction.',
  ),
  ServerFrame: oneOf(ServerFrame, 'A message that the server sends.', 'type'),
  ClientFrame: oneOf(ClientFrame, 'A message that a client sends.', 'type'),
  ChangesFrame: described(
    ChangesFrame,
    'The changes between two cursors. A copy that stands at `from` applies them and stands at `cursor`; one that stands at `cursor` already ignores them; any other one pulls with `GET /api/changes`. After each of these it says `seen`.',
    {
      type: 'Always `changes`.',
      from: 'The cursor that the frame follows; null in the first frame of a socket that was opened without a cursor: it has no changes, and says from where on there will be frames. A copy that is empty pulls everything first, and opens its socket with the cursor of that.',
      cursor: 'The cursor after them.',
      changes: 'Entries in the order of their versions.',
    },
  ),
  PokeFrame: described(
    PokeFrame,
    'There is more than a frame holds, or the cursor cannot be continued: pull with `GET /api/changes`, then say `seen`. Nothing else comes until then.',
    { type: 'Always `poke`.', head: 'The latest version of the space.' },
  ),
  AckFrame: described(
    AckFrame,
    'The answer to a push. If its body has a cursor, apply it like the reply of `POST /api/sync` and say `seen`.',
    {
      type: 'Always `ack`.',
      id: 'The `id` of the push.',
      status: 'The status that `POST /api/sync` would have: 200, or that of the problem.',
      body: 'The body that `POST /api/sync` would have.',
    },
  ),
  PushProblem: oneOf(PushProblem, 'A push that was refused.', 'code'),
  ErrorFrame: described(ErrorFrame, 'A message was refused that is no push. The socket stays open.', {
    type: 'Always `error`.',
    body: 'The reason.',
  }),
  MessageProblem: oneOf(MessageProblem, 'A message that was refused.', 'code'),
  PongFrame: described(PongFrame, 'The answer to a `ping`.', { type: 'Always `pong`.' }),
  PushFrame: described(
    PushFrame,
    '`POST /api/sync` on the socket. Pushes are taken in the order of sending.',
    { type: 'Always `push`.', id: 'A name of the client, which the `ack` repeats.', body: 'The batch.' },
  ),
  SeenFrame: described(
    MESSAGES.seen,
    'Says where the copy stands. Say it after every frame, and after every `ack` that has a cursor: at most 32 frames are sent ahead of it, and a socket with frames that were not confirmed for half a minute is closed when the next change comes.',
    { type: 'Always `seen`.', cursor: 'The cursor of the copy.' },
  ),
  PingFrame: described(MESSAGES.ping, 'Asks whether the socket is alive. It wakes no object.', {
    type: 'Always `ping`.',
  }),
}
