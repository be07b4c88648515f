import type { merge } from '../../../worker/src/core/batch/merge.ts'
import type { planBatch } from '../../../worker/src/core/batch/plan.ts'
import type { isLater, Stance, Step, StepOnEntry, stanceOf } from '../../../worker/src/core/batch/stance.ts'
import type { View } from '../../../worker/src/core/batch/view.ts'
import type { effectiveTime, isTimestamp } from '../../../worker/src/core/values/clock.ts'
import { NOTHING, type Version } from '../../../worker/src/core/values/version.ts'
import { type Bug, plant } from './plant.ts'

/** Plants a wrong stance of an edit, computed from the right one. */
function stance(wrong: (right: Stance, step: Step) => Stance) {
  return [plant<typeof stanceOf>('stanceOf', (original, step) => wrong(original(step), step))]
}

/** Plants a wrong order of an edit and its rival. */
function order(wrong: typeof isLater) {
  return [plant<typeof isLater>('isLater', (_, ...args) => wrong(...args))]
}

/** Plants a wrong view of the space, against which a batch is decided. */
function view(wrong: (right: View) => Partial<View>) {
  return [
    plant<typeof planBatch>('planBatch', (original, edits, client, right) =>
      original(edits, client, { ...right, ...wrong(right) }),
    ),
  ]
}

/** Mistakes in the decision of a batch. */
export const DECISION_BUGS: readonly Bug[] = [
  {
    name: 'ignores the base of an edit',
    plants: stance((right, { base, current }) =>
      right === 'apply' && current !== undefined && base === current.seq ? 'compete' : right,
    ),
  },
  {
    name: 'takes every write for one on its base',
    plants: stance((right) => (right === 'compete' ? 'rewrite' : right)),
  },
  {
    name: 'ignores where a run of writes began',
    plants: stance((right, { base, client, current }) => {
      const isOlder = base !== undefined && current !== undefined && base <= current.seq
      return right === 'compete' && isOlder && current.by === client ? 'rewrite' : right
    }),
    from: 147,
  },
  {
    name: 'never continues a run of writes',
    plants: stance((right, { inBatch }) => (right === 'rewrite' && !inBatch ? 'compete' : right)),
    from: 2,
  },
  {
    name: 'lets a blind write replace without a conflict',
    plants: stance((right, { base }) => (right === 'compete' && base === undefined ? 'rewrite' : right)),
  },
  {
    name: 'counts every version before a deletion to the run that begins on it',
    plants: [
      plant<(step: Step) => number>('rootOf', (_, { base, current }) => base ?? current?.seq ?? NOTHING),
    ],
    from: 36,
  },
  {
    name: 'lets the earlier write win',
    plants: order(({ edit, client }, { at, by }) => edit.at < at || (edit.at === at && client > by)),
  },
  {
    name: 'lets the smaller client id win a tie',
    plants: order(({ edit, client }, { at, by }) => edit.at > at || (edit.at === at && client < by)),
    from: 12,
  },
  {
    name: 'believes a time in the future',
    plants: [
      plant<typeof effectiveTime>('effectiveTime', (_, timestamp, { skew }) => Math.max(0, timestamp + skew)),
    ],
  },
  {
    name: 'refuses a time in the future',
    plants: [
      plant<typeof isTimestamp>(
        'isTimestamp',
        (original, timestamp) => original(timestamp) && timestamp <= 1_790_000_000_000,
      ),
    ],
  },
  {
    name: 'lets the time of an entry fall',
    plants: [plant<() => number>('liftOf', () => 0)],
  },
  {
    name: 'skips a sequence number',
    plants: view(({ seq }) => ({ seq: seq % 50 === 49 ? seq + 1 : seq })),
  },
  {
    name: 'does not let the server win under server-wins',
    plants: view(({ policy }) => ({
      policy: (key) => (policy(key) === 'server-wins' ? 'lww' : policy(key)),
    })),
    from: 4,
  },
  {
    name: 'compares a writer that may not read with others',
    plants: [plant<() => boolean>('mayCompare', () => true)],
    from: 166,
  },
  {
    name: 'recognizes a retry by its corrected time',
    plants: [
      plant<typeof planBatch>('planBatch', (original, edits, client, right) => {
        const corrected = edits.map((edit) => ({ ...edit, timestamp: edit.at }))
        const version = (seq: number) => byCorrectedTime(right.version(seq))
        return original(corrected, client, { ...right, version })
      }),
    ],
    from: 778,
  },
  {
    name: 'merges one side only',
    plants: [
      plant<typeof merge>('merge', (original, sides, mineIsLater) => {
        const merged = original(sides, mineIsLater)
        return merged && { ...merged, value: sides.mine }
      }),
    ],
  },
  {
    name: 'lets a client compete with its own edit inside a merge',
    plants: [
      plant<(draft: unknown, step: StepOnEntry) => boolean>(
        'isLaterThanRival',
        (_, __, { edit, client, current }) =>
          edit.at > current.at || (edit.at === current.at && client > current.by),
      ),
    ],
    from: 26,
  },
]

function byCorrectedTime(version: Version | null | undefined): Version | null | undefined {
  return version && { ...version, timestamp: version.at - version.lift }
}
