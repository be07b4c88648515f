import * as z from 'zod/mini'
import { Opaque } from '../atoms.ts'
import { field, object } from './described.ts'
import { Entry } from './entry.ts'

export const ChangesFrame = object(
  'The changes between two cursors. A copy at `from` applies them and is then at `cursor`. A copy that is already at `cursor` ignores them. Any other copy pulls with `GET /api/changes`. In each case the client then sends `seen`.',
  {
    type: z.literal('changes'),
    from: field(
      'The cursor that the frame follows. Null in the first frame of a socket that was opened without a cursor: the frame has no changes and gives the cursor from which frames will come. An empty copy first pulls everything, and opens its socket with the cursor of the last page.',
      z.nullable(Opaque),
    ),
    cursor: field('The cursor after the changes.', Opaque),
    changes: field('Entries in the order of their versions.', z.array(Entry)),
  },
)

export const PokeFrame = object(
  'There are more changes than fit into a frame, or the cursor cannot be continued. Pull with `GET /api/changes`, then send `seen`. No other frame comes until then.',
  {
    type: z.literal('poke'),
    head: field('The latest version of the space.', Opaque),
  },
)

export const PongFrame = object('The reply to a `ping`.', { type: z.literal('pong') })
