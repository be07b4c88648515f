import type { nextBatch } from '../../../client/src/replica/batch.ts'
import type { Exchange, Received, Reply, takeReply } from '../../../client/src/replica/reply.ts'
import type { endRestart } from '../../../client/src/replica/restart.ts'
import type { settlementsOf } from '../../../client/src/replica/settlement.ts'
import type { stateInTerm } from '../../../client/src/replica/state.ts'
import type { ChangesFrame, Live, LiveOptions } from '../../../client/src/service/live.ts'
import type { Found, Outcome, QueuedEdit, ReplicaState } from '../../../client/src/store/store.ts'
import type { Socket } from '../../../client/src/values/platform.ts'
import { type Bug, plant } from './plant.ts'

/** Plants another reply in place of the one that came. */
function reply(wrong: (right: Reply) => Partial<Reply>) {
  return [
    plant<(found: Found, exchange: Exchange, state: ReplicaState) => unknown>(
      'pageOf',
      (original, found, exchange, state) =>
        original(found, { ...exchange, reply: { ...exchange.reply, ...wrong(exchange.reply) } }, state),
    ),
  ]
}

/** Plants wrong writes after a reply. */
function writes(wrong: (right: Received, found: Found, exchange: Exchange) => Partial<Received>) {
  return [
    plant<typeof takeReply>('takeReply', (original, found, exchange) => {
      const right = original(found, exchange)
      return { ...right, ...wrong(right, found, exchange) }
    }),
  ]
}

/** Keeps the frames that came before an answer, and takes each wherever the copy is. */
function lateFrames(original: OpenLive, socket: Socket, options: LiveOptions): Live {
  const kept: ChangesFrame[] = []
  let at: string | null = null
  socket.addEventListener('message', ({ data }) => {
    const frame = JSON.parse(String(data))
    if (frame.type === 'changes' && frame.from !== null) kept.push(frame)
  })
  const live = original(socket, options)
  return {
    ...live,
    frames: () => [...live.frames().filter((frame) => frame === null), ...kept.splice(0).map(begunAt)],
    seen(cursor) {
      at = cursor
      live.seen(cursor)
    },
  }

  function begunAt(frame: ChangesFrame): ChangesFrame {
    return { ...frame, from: at ?? frame.from }
  }
}

type OpenLive = (socket: Socket, options: LiveOptions) => Live

/** Mistakes of the client. */
export const CLIENT_BUGS: readonly Bug[] = [
  {
    name: 'uses the number of a batch again for other edits',
    plants: [
      plant<(state: ReplicaState) => object>('numbersAfter', (_, { batch }) => ({ batch, outgoing: null })),
    ],
  },
  {
    name: 'makes a batch again with other edits if its answer was lost',
    plants: [
      plant<typeof nextBatch>('nextBatch', (original, found, options) => {
        const { state } = found
        return original({ ...found, state: state && { ...state, outgoing: null } }, options)
      }),
    ],
  },
  {
    name: 'drops a batch if its answer was lost',
    plants: [
      plant<typeof nextBatch>('nextBatch', (original, found, options) => {
        const { state } = found
        if (!state?.outgoing) return original(found, options)
        return { state: { ...state, outgoing: null }, sent: [], answered: state.outgoing.edits }
      }),
    ],
  },
  {
    name: 'leaves waiting edits on their old base',
    plants: [plant<(waiting: readonly QueuedEdit[]) => unknown>('rebased', (_, waiting) => waiting)],
  },
  {
    name: 'takes frames that came before an answer after it',
    from: 10,
    plants: [plant<OpenLive>('liveOver', lateFrames)],
  },
  {
    name: 'drops the queue when it starts over',
    from: 13,
    plants: writes(({ answered = [] }, { edits }, { reply: { reset } }) => ({
      answered: reset ? [...answered, ...edits.map(({ id }) => id)] : answered,
    })),
  },
  {
    name: 'lets a tab write whose term is over',
    from: 5,
    plants: [plant<typeof stateInTerm>('stateInTerm', (_, { state }) => state as ReplicaState)],
  },
  // Shows in one history of a hundred: the feed must have brought a newer version before the replay.
  { name: 'takes the results of a replay', from: 39, plants: reply(() => ({ replayed: false })) },
  { name: 'leaves its own writes out of the copy', plants: reply(() => ({ replayed: true })) },
  { name: 'leaves out an entry of a page', plants: reply(({ changes }) => ({ changes: changes.slice(1) })) },
  { name: 'forgets edits that lost', plants: [plant<() => readonly Outcome[]>('troubles', () => [])] },
  {
    name: 'says of every edit that it was applied',
    plants: [
      plant<typeof settlementsOf>('settlementsOf', (original, ...args) =>
        original(...args).map(({ id, key }) => ({ id, key, answer: { status: 'applied' } })),
      ),
    ],
  },
  {
    name: 'keeps entries that are gone after it has started over',
    from: 29,
    plants: [
      plant<typeof endRestart>('endRestart', (original, ...args) => ({ ...original(...args), gone: [] })),
    ],
  },
  {
    name: 'shows every row as synced',
    plants: [plant<() => string>('statusOf', () => 'synced')],
  },
]
