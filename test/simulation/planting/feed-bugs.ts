import type { isAbove, resumePoint } from '../../../worker/src/core/feed/cursor.ts'
import type { confirmedAt } from '../../../worker/src/core/feed/listener.ts'
import type { listConflicts } from '../../../worker/src/objects/read/conflicts.ts'
import type { FeedQuery, Page, readPage } from '../../../worker/src/objects/read/feed.ts'
import type { pull } from '../../../worker/src/objects/read/pull.ts'
import { seqOf } from '../values/wire.ts'
import { type Bug, plant } from './plant.ts'

/** Plants a wrong page. */
function page(wrong: (right: Page) => Partial<Page>) {
  return [
    plant<typeof readPage>('readPage', async (original, space, query) => {
      const right = await original(space, query)
      return { ...right, ...wrong(right) }
    }),
  ]
}

/** Plants a wrong query for each page. */
function query(wrong: Partial<FeedQuery>) {
  return [
    plant<typeof readPage>('readPage', (original, space, right) => original(space, { ...right, ...wrong })),
  ]
}

/** Mistakes in what readers are told, by a page or on a socket. */
export const FEED_BUGS: readonly Bug[] = [
  {
    name: 'moves the cursor past the end of its page',
    plants: page(({ position, more }) => ({ position: more ? position + 1 : position })),
  },
  {
    name: 'leaves out of a page what is not newer than the newest before it',
    plants: page(({ entries }) => ({ entries: entries.filter(isNewest) })),
  },
  {
    name: 'leaves deletions out of the feed',
    plants: query({ deletionsAfter: Number.MAX_SAFE_INTEGER }),
  },
  {
    name: 'ignores the filter',
    plants: query({ filter: null }),
  },
  {
    name: 'leaves the echo out under a reset',
    plants: [
      plant<typeof pull>('pull', async (original, space, session, asked) => {
        const pulled = await original(space, session, asked)
        const { wrote } = asked
        if (wrote === null || !pulled.fields.reset) return pulled
        const isEcho = (text: string) => seqIn(text) >= wrote.from && seqIn(text) <= wrote.to
        return { ...pulled, entries: pulled.entries.filter((text) => !isEcho(text)) }
      }),
    ],
    from: 23,
  },
  {
    name: 'ignores the floor',
    plants: [plant<typeof isAbove>('isAbove', () => true)],
    from: 14,
  },
  {
    name: 'makes a reader that starts below the floor start over for ever',
    plants: [
      plant<typeof resumePoint>('resumePoint', (original, cursor, filter, feed) => {
        const right = original(cursor, filter, feed)
        const isBelow = cursor !== null && right.reset === null && right.seq < feed.floor
        return isBelow ? { seq: 0, scan: feed.head, reset: 'floor' } : right
      }),
    ],
    from: 19,
  },
  {
    name: 'shows conflicts without a look at the grant',
    plants: [
      plant<typeof listConflicts>('listConflicts', (original, space, asked) => original(space, asked, null)),
    ],
  },
  {
    name: 'continues from a frame that was passed over',
    plants: [plant<() => boolean>('isPassedOver', () => false)],
    from: 491,
  },
  {
    name: 'never follows a reader again that was told to pull',
    from: 14,
    plants: [
      plant<typeof confirmedAt>('confirmedAt', (original, listener, at) => {
        const right = original(listener, at)
        return listener.epoch === at.epoch ? { ...right, poked: listener.poked } : right
      }),
    ],
  },
]

/** Whether no entry before this one has a later time. */
function isNewest(text: string, index: number, texts: readonly string[]): boolean {
  return texts.slice(0, index).every((other) => timeIn(other) <= timeIn(text))
}

function timeIn(text: string): number {
  return JSON.parse(text).timestamp
}

function seqIn(text: string): number {
  return seqOf(JSON.parse(text).version)
}
