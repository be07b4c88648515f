import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  confirmedAt,
  type FeedPosition,
  hasRoom,
  isBehind,
  type Listener,
  pokedNow,
  sentTo,
} from '../../../worker/src/core/feed/listener.ts'

/** A frame of this many entries is pulled in the model, so that short feeds meet it. */
const MAX_ENTRIES = 3

type Frame =
  | { readonly type: 'changes'; readonly from: number; readonly to: number }
  | { readonly type: 'poke' }
  | { readonly type: 'ack'; readonly to: number }

type Said = { readonly type: 'seen'; readonly at: number } | { readonly type: 'push'; readonly at: number }

function at(seq: number): FeedPosition {
  return { epoch: 'e', place: { seq, scan: 0 }, cursor: String(seq) }
}

/** A feed under a filter: what is written is visible or not. */
class Feed {
  readonly #visible: boolean[] = []

  write(isVisible: boolean): void {
    this.#visible.push(isVisible)
  }

  get head(): number {
    return this.#visible.length
  }

  /** Where a page of so many entries ends. */
  pageAfter(
    seq: number,
    limit: number,
  ): { readonly entries: number; readonly to: number; readonly more: boolean } {
    const found = this.#visible.flatMap((isVisible, index) => (isVisible && index >= seq ? [index + 1] : []))
    const more = found.length > limit
    return { entries: Math.min(limit, found.length), to: more ? (found[limit - 1] ?? 0) : this.head, more }
  }
}

/** What an object does for a socket (`objects/live/broadcast.ts`, `objects/live/message.ts`), and what is on its way. */
class Line {
  readonly down: Frame[] = []
  readonly up: Said[] = []
  readonly #feed: Feed
  #answering: number | null = null
  #listener: Listener

  constructor(feed: Feed) {
    this.#feed = feed
    const session = {} as Listener['session']
    this.#listener = { session, filter: ['n'], ...at(feed.head), stood: feed.head, poked: false, unseen: [] }
  }

  broadcast(): void {
    while (this.#answering === null && isBehind(this.#listener, { epoch: 'e', seq: this.#feed.head }))
      this.#tell()
  }

  #tell(): void {
    const { entries, to, more } = this.#feed.pageAfter(this.#listener.place.seq, MAX_ENTRIES)
    if (!more && entries === 0) {
      this.#listener = { ...this.#listener, place: at(to).place }
    } else if (more || !hasRoom(this.#listener, 9_000)) {
      this.#listener = pokedNow(this.#listener)
      this.down.push({ type: 'poke' })
    } else {
      this.down.push({ type: 'changes', from: Number(this.#listener.cursor), to })
      this.#listener = sentTo(this.#listener, at(to), { bytes: 9_000, at: 0 })
    }
  }

  /** Deals with the next message of the client. The answer of a push may come later. */
  hear(): void {
    if (this.#answering !== null) {
      this.answer()
      return
    }
    const said = this.up.shift()
    if (said === undefined) return
    this.#listener = confirmedAt(this.#listener, at(said.at))
    if (said.type === 'push') this.#answering = said.at
    else this.broadcast()
  }

  answer(): void {
    if (this.#answering === null) return
    const { to } = this.#feed.pageAfter(this.#answering, 2)
    this.#answering = null
    this.down.push({ type: 'ack', to })
    this.#listener = sentTo(this.#listener, at(to), { bytes: 100, at: 0 })
    this.broadcast()
  }
}

/** A client that keeps the rules of the section on GET /api/live. It may pull whenever it likes, in pages of any size. */
class Client {
  cursor: number
  readonly #feed: Feed
  readonly #line: Line
  #lettingPass = false
  /** The limit of the pull that goes on. What comes on the socket meanwhile is dealt with afterwards. */
  #pulling: number | null = null
  #awaiting = false

  constructor(feed: Feed, line: Line) {
    this.#feed = feed
    this.#line = line
    this.cursor = feed.head
  }

  get isBusy(): boolean {
    return this.#pulling !== null
  }

  pull(limit: number): void {
    this.#pulling ??= limit
  }

  push(): void {
    if (this.#awaiting || this.isBusy) return
    this.#awaiting = true
    this.#line.up.push({ type: 'push', at: this.cursor })
  }

  /** One page of a pull; it may say where it stands after each of them, or only after the last one. */
  page(tellsEach: boolean): void {
    if (this.#pulling === null) return
    const { to, more } = this.#feed.pageAfter(this.cursor, this.#pulling)
    this.cursor = to
    if (!more) this.#pulling = null
    this.#lettingPass = true
    if (tellsEach || !more) this.seen()
  }

  seen(): void {
    this.#line.up.push({ type: 'seen', at: this.cursor })
  }

  take(limit: number): void {
    if (this.isBusy) return
    const frame = this.#line.down.shift()
    if (frame === undefined) return
    if (frame.type === 'ack') {
      this.#awaiting = false
      this.cursor = frame.to
      this.#lettingPass = true
    } else if (frame.type === 'changes' && frame.from === this.cursor) {
      this.cursor = frame.to
      this.#lettingPass = false
    } else if (frame.type === 'poke' || (frame.to !== this.cursor && !this.#lettingPass)) {
      this.pull(limit)
      return
    }
    this.seen()
  }
}

const step = fc.oneof(
  fc.record({ is: fc.constant('write' as const), visible: fc.boolean() }),
  fc.record({ is: fc.constantFrom('take' as const, 'pull' as const), limit: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ is: fc.constant('page' as const), tellsEach: fc.boolean() }),
  fc.record({ is: fc.constantFrom('hear' as const, 'push' as const, 'seen' as const) }),
)

interface Played {
  readonly feed: Feed
  readonly line: Line
  readonly client: Client
}

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

function play(steps: readonly Step[]): Played {
  const feed = new Feed()
  feed.write(true)
  const line = new Line(feed)
  const client = new Client(feed, line)
  for (const next of steps) {
    if (next.is === 'write') {
      feed.write(next.visible)
      line.broadcast()
    } else if (next.is === 'take') client.take(next.limit)
    else if (next.is === 'pull') client.pull(next.limit)
    else if (next.is === 'page') client.page(next.tellsEach)
    else if (next.is === 'push') client.push()
    else if (next.is === 'seen') client.seen()
    else line.hear()
  }
  return { feed, line, client }
}

/** Lets everything arrive that is on its way. */
function settle({ line, client }: Played): void {
  for (let idle = 0; idle < 3; idle++) {
    const before = JSON.stringify([line.down.length, line.up.length, client.cursor, client.isBusy])
    line.hear()
    client.page(true)
    client.take(2)
    if (before !== JSON.stringify([line.down.length, line.up.length, client.cursor, client.isBusy])) idle = -1
  }
}

test('[LV3] a follower that keeps the rules hears of the next write, however it pulled, in small pages under a filter', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const played = play(steps)
      const { feed, line, client } = played
      settle(played)
      feed.write(true)
      line.broadcast()
      settle(played)
      expect(client.cursor).toBe(feed.head)
    }),
    { seed: 30, numRuns: 20_000 },
  )
})

test('[LV3] the end of a frame that the client has passed over is not the end of one that is on its way', () => {
  const began: Listener = {
    session: {} as Listener['session'],
    filter: ['n'],
    ...at(1),
    stood: 1,
    poked: false,
    unseen: [],
  }
  const size = { bytes: 10, at: 0 }
  const passed = confirmedAt(sentTo(began, at(3), size), at(2))
  expect(passed).toMatchObject({ cursor: '2', stood: 2 })
  const sent = sentTo(passed, at(4), size)
  // It still counts as unconfirmed, and the one that is on its way is confirmed as ever.
  expect(sent.unseen.map(([to]) => to)).toEqual([3, 4])
  expect(confirmedAt(sent, at(3))).toMatchObject({ cursor: '3', place: { seq: 3 }, stood: 3 })
  expect(confirmedAt(sent, at(4))).toMatchObject({ cursor: '4', stood: 4, unseen: [] })
})

test('[LV3] a reader that scans from nothing stands elsewhere than one at the same version that does not', () => {
  const scanning: FeedPosition = { epoch: 'e', place: { seq: 11, scan: 16 }, cursor: '11-16' }
  const session = {} as Listener['session']
  const began: Listener = { session, filter: ['n'], ...at(11), stood: 11, poked: false, unseen: [] }
  const told = sentTo(began, at(19), { bytes: 1, at: 0 })
  // The client starts over meanwhile: the frame from 11 does not fit its copy, and is passed over.
  const followed = confirmedAt(told, scanning)
  expect(followed).toMatchObject({ cursor: '11-16', place: { seq: 11, scan: 16 } })
  expect(confirmedAt(followed, at(19))).toMatchObject({ cursor: '19' })
  // So too the other way round, by what it said or was told before.
  const acked = sentTo(confirmedAt(began, scanning), scanning, { bytes: 1, at: 0 })
  const ahead = sentTo(acked, at(19), { bytes: 1, at: 0 })
  expect(confirmedAt(ahead, scanning).cursor).toBe('19')
  expect(confirmedAt(ahead, at(11)).cursor).toBe('11')
})
