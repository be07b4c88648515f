import type { isReplay } from '../../../worker/src/core/batch/batch-number.ts'
import { accepted } from '../../../worker/src/core/values/result.ts'
import type { draftOf } from '../../../worker/src/objects/space/draft.ts'
import type { openSpace, Space } from '../../../worker/src/objects/space/space.ts'
import type { Store } from '../../../worker/src/objects/store/store.ts'
import type { foundAgain } from '../../../worker/src/objects/store/tables.ts'
import type { acceptBatch } from '../../../worker/src/objects/write/accept.ts'
import { type Bug, plant } from './plant.ts'

/** Plants a space that is spoiled after it was opened. */
function space(spoil: (right: Space, storage: DurableObjectStorage) => void) {
  return [
    plant<typeof openSpace>('openSpace', (original, ctx, env) => {
      const opened = original(ctx, env)
      spoil(opened, ctx.storage)
      return opened
    }),
  ]
}

/** Plants a store with some methods that are wrong. */
function store(wrong: (storage: DurableObjectStorage) => Partial<Store>) {
  return space((right, storage) => {
    Object.assign(right.store, wrong(storage))
  })
}

/** The methods by which a batch writes. */
const WRITES = ['append', 'putEntryStates', 'putConflicts', 'putClients', 'resolveConflict'] as const

/** Mistakes that lose stored data, or store a part of it. */
export const STORAGE_BUGS: readonly Bug[] = [
  {
    name: 'writes no idempotency record',
    plants: store(() => ({ putClients() {} })),
  },
  {
    name: 'writes the idempotency record before the batch, in a transaction of its own',
    plants: [
      plant<typeof draftOf>('draftOf', (original, of, reads) => {
        const right = original(of, reads)
        const { add } = right
        return Object.assign(right, {
          add(writes: Parameters<typeof add>[0]) {
            if (writes.record !== null) of.store.putClients([writes.record])
            add(writes)
          },
        })
      }),
    ],
    from: 9,
  },
  {
    name: 'stores a batch in several transactions',
    plants: space((right, storage) => {
      for (const name of WRITES) {
        const write: (...args: never[]) => void = right.store[name]
        Object.assign(right.store, {
          [name]: (...args: never[]) => storage.transactionSync(() => write(...args)),
        })
      }
      Object.assign(right, { transaction: (work: () => unknown) => work() })
    }),
    from: 11,
  },
  {
    name: 'decides a replay again',
    plants: [
      plant<typeof isReplay>('isReplay', (original, ...args) => {
        const right = original(...args)
        return right.ok ? accepted(false) : right
      }),
    ],
    from: 2,
  },
  {
    name: 'stores a part of an atomic batch',
    plants: [
      plant<typeof acceptBatch>('acceptBatch', (original, of, submission) =>
        original(of, { ...submission, request: { ...submission.request, atomic: undefined } }),
      ),
    ],
  },
  {
    name: 'drops losers',
    plants: store(() => ({ putConflicts() {} })),
  },
  {
    name: 'gives out a sequence number again after a restart',
    plants: space((right) => {
      right.state = { ...right.state, seq: Math.max(0, right.state.seq - 1) }
    }),
    from: 3,
  },
  {
    name: 'lets an open conflict age',
    plants: store(({ sql }) => ({
      dropConflicts: (time, limit) =>
        sql
          .exec(
            'DELETE FROM conflict WHERE id IN (SELECT id FROM conflict WHERE at < ? LIMIT ?) RETURNING id',
            time,
            limit,
          )
          .toArray().length,
    })),
    from: 98,
  },
  {
    name: 'does not archive a superseded version',
    plants: store(() => ({ archive() {} })),
  },
  {
    name: 'records the time of an erasure after it took effect',
    plants: [
      plant<typeof foundAgain>('foundAgain', (original, storage, founding) => {
        original(withoutErasedAt(storage), founding)
        storage.transactionSync(() => {
          storage.sql.exec(`INSERT INTO meta VALUES ('erased-at', ?)`, founding.now)
        })
      }),
    ],
    from: 10,
  },
]

/** Storage that ignores the statement which records the time of an erasure. */
function withoutErasedAt({ sql, transactionSync }: DurableObjectStorage): DurableObjectStorage {
  const exec: SqlStorage['exec'] = (query, ...bindings) =>
    sql.exec(query.includes('erased-at') ? 'SELECT ?' : query, ...bindings)
  return { sql: { exec }, transactionSync } as unknown as DurableObjectStorage
}
