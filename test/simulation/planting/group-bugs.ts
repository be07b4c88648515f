import type {
  Draft,
  draftOf,
  Reads,
  StoredSpace,
  settlePending,
} from '../../../worker/src/objects/space/draft.ts'
import type { knownVersions } from '../../../worker/src/objects/space/known-versions.ts'
import type { recentChanges } from '../../../worker/src/objects/space/recent-changes.ts'
import type { clientRows } from '../../../worker/src/objects/store/client-rows.ts'
import type { entryRows } from '../../../worker/src/objects/store/entry-rows.ts'
import type { decodePending } from '../../../worker/src/objects/store/pending-rows.ts'
import type { recentEntries } from '../../../worker/src/objects/store/recent-entries.ts'
import { type Bug, plant } from './plant.ts'

/** Plants a draft with some methods that are wrong. */
function draft(wrong: (right: Draft, space: StoredSpace, reads: readonly Reads[]) => Partial<Draft>) {
  return [
    plant<typeof draftOf>('draftOf', (original, space, reads) => {
      const right = original(space, reads)
      return Object.assign(right, wrong({ ...right }, space, reads))
    }),
  ]
}

const NOTHING_PENDING = new Map<never, never>()

/** Mistakes in what the batches of a group share, and in the rows that wait for their tables. */
export const GROUP_BUGS: readonly Bug[] = [
  {
    name: 'acknowledges a batch before its commit',
    plants: draft((right) => ({
      commit() {
        queueMicrotask(() => {
          try {
            right.commit()
          } catch {
            // The client has the reply already.
          }
        })
      },
    })),
    from: 4,
  },
  {
    name: 'decides a batch against the stored rows, not those of its group',
    plants: draft((_, { store }, reads) => {
      const stored = store.entryStates(reads.flatMap(({ keys }) => keys))
      return { entry: (key) => stored.get(key) }
    }),
    from: 17,
  },
  {
    name: 'replaces its state in memory even if the transaction fails',
    plants: draft((right, space) => ({
      commit() {
        const { transaction } = space
        let failure: unknown
        const lenient: StoredSpace['transaction'] = (work) => {
          try {
            return transaction(work)
          } catch (thrown) {
            failure = thrown
            return undefined as never
          }
        }
        Object.assign(space, { transaction: lenient })
        right.commit()
        Object.assign(space, { transaction })
        if (failure !== undefined) throw failure
      },
    })),
    from: 4,
  },
  {
    name: 'reads entries without those that wait for their table',
    plants: [
      plant<typeof entryRows>('entryRows', (original, sql, names) =>
        original(sql, names, () => NOTHING_PENDING),
      ),
    ],
  },
  {
    name: 'reads clients without those that wait for their table',
    plants: [plant<typeof clientRows>('clientRows', (original, sql) => original(sql, () => NOTHING_PENDING))],
  },
  {
    name: 'compacts a log whose pending rows are not in their tables',
    plants: [plant<typeof settlePending>('settlePending', () => {})],
  },
  {
    name: 'forgets the pending rows when the object starts',
    plants: [
      plant<typeof decodePending>('decodePending', () => ({
        entries: NOTHING_PENDING,
        records: NOTHING_PENDING,
      })),
    ],
  },
  {
    name: 'remembers the entries of a transaction that failed',
    plants: [plant<typeof recentEntries>('recentEntries', (original) => ({ ...original(), forget() {} }))],
    from: 5,
  },
  {
    name: 'still takes a replaced version for the current one',
    plants: [plant<typeof knownVersions>('knownVersions', (original) => ({ ...original(), retire() {} }))],
  },
  {
    name: 'reads recent changes from a position before them',
    plants: [
      plant<typeof recentChanges>('recentChanges', (original) => {
        const right = original()
        let first = 0
        return {
          ...right,
          add(chunks, after) {
            first ||= after
            right.add(chunks, after)
          },
          after: (seq, last, describe) => right.after(Math.max(seq, first), last, describe),
        }
      }),
    ],
  },
  {
    name: 'fills a row of the log without writing its pending rows',
    plants: [plant<() => void>('putRows', () => {})],
  },
]
