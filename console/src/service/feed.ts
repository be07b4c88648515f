import { computed, type ReadonlySignal, type Signal, signal } from '@preact/signals'
import type { Conflict, Entry } from '../base/wire.ts'
import { listConflicts, newestConflict } from './conflicts.ts'
import { type Connection, follow } from './follow.ts'
import { Refusal } from './request.ts'

/** Rows that are kept. Older ones are dropped, however fast new ones arrive. */
const MOST_ROWS = 200
/** How often new conflicts are looked for, ms. */
const CONFLICTS_MS = 3_000
const CONFLICTS_PAGE = 100

const CONNECTING: Connection = { state: 'connecting' }

/** A write as the feed shows it. */
export interface FeedRow {
  readonly key: string
  readonly version: string
  readonly by: string
  readonly timestamp: number
  readonly outcome: string
  /** Whether somebody should look at it. */
  readonly isConflict: boolean
}

/** The writes of a space from now on. */
export interface Feed {
  /** The newest first. */
  readonly rows: Signal<readonly FeedRow[]>
  /** Open means that each write and each conflict from then on is shown. */
  readonly connection: ReadonlySignal<Connection>
  /** Writes since the feed began. */
  readonly total: Signal<number>
  stop(): void
}

/** Follows a space. Shows all writes together that arrive between two frames of the screen. */
export function startFeed(space: string): Feed {
  const rows = signal<readonly FeedRow[]>([])
  const socket = signal<Connection>(CONNECTING)
  const isWatching = signal(false)
  const total = signal(0)
  let waiting: FeedRow[] = []
  /** The newest conflicts: the page may know one before the write that it is about arrives. */
  let recent: readonly Conflict[] = []
  let arrived = 0
  let frame = 0

  function show(): void {
    frame = 0
    total.value += arrived
    rows.value = [...waiting.toReversed(), ...rows.value].slice(0, MOST_ROWS)
    waiting = []
    arrived = 0
  }

  /** A page in the background draws no frames, so what waits is bounded too. */
  function add(added: readonly FeedRow[]): void {
    arrived += added.length
    waiting = [...waiting, ...added].slice(-MOST_ROWS)
    frame ||= requestAnimationFrame(show)
  }

  const stopFollowing = follow({
    space,
    onEntries: (entries) => add(entries.map((entry) => judged(rowOfEntry(entry), recent))),
    onConnection: (next) => {
      socket.value = next
    },
  })
  const onWatching = () => {
    isWatching.value = true
  }
  const stopWatching = watchConflicts(space, onWatching, (conflicts) => {
    recent = [...recent, ...conflicts].slice(-MOST_ROWS)
    waiting = waiting.map((row) => judged(row, conflicts))
    rows.value = rows.value.map((row) => judged(row, conflicts))
    add(conflicts.flatMap(rowOfLoser))
  })
  return {
    rows,
    connection: computed(() => {
      const isEarly = socket.value.state === 'open' && !isWatching.value
      return isEarly ? CONNECTING : socket.value
    }),
    total,
    stop() {
      stopFollowing()
      stopWatching()
      cancelAnimationFrame(frame)
    },
  }
}

/** Calls back once it knows where to begin, and then with the conflicts that arise from there on. */
function watchConflicts(
  space: string,
  onWatching: () => void,
  onConflicts: (conflicts: readonly Conflict[]) => void,
): () => void {
  let isStopped = false
  let timer: ReturnType<typeof setTimeout> | undefined
  let last: number | undefined

  async function look(): Promise<void> {
    last ??= await newestConflict(space)
    onWatching()
    const { conflicts, next } = await listConflicts(space, { after: last, limit: CONFLICTS_PAGE })
    last = next ?? conflicts.at(-1)?.id ?? last
    if (!isStopped && conflicts.length > 0) onConflicts(conflicts)
  }

  /** A failure is not told here: the socket meets the same one, and tells it. */
  async function watch(): Promise<void> {
    if (document.visibilityState === 'visible')
      await look().catch((error: unknown) => {
        if (!(error instanceof Refusal)) throw error
      })
    if (!isStopped) timer = setTimeout(() => void watch(), CONFLICTS_MS)
  }

  void watch()
  return () => {
    isStopped = true
    clearTimeout(timer)
  }
}

function rowOfEntry({ key, version, by, timestamp, deleted }: Entry): FeedRow {
  return { key, version, by, timestamp, outcome: deleted ? 'deleted' : 'written', isConflict: false }
}

/** A write that lost is in no feed: only its conflict shows it. */
function rowOfLoser({ key, resolution, winner, loser }: Conflict): readonly FeedRow[] {
  if (loser.version === undefined || !('by' in loser) || loser.by === undefined) return []
  if (resolution !== 'kept-server' && resolution !== 'open') return []
  const over = 'by' in winner && winner.by !== undefined ? ` to ${winner.by}` : ''
  const outcome = resolution === 'open' ? 'open conflict' : `lost${over}`
  const { version, by, timestamp = 0 } = loser
  return [{ key, version, by, timestamp, outcome, isConflict: true }]
}

/** The row of a write that a conflict is about, with the outcome. */
function judged(row: FeedRow, conflicts: readonly Conflict[]): FeedRow {
  const conflict = conflicts.find(({ winner }) => winner.version === row.version)
  if (!conflict) return row
  const { resolution, loser } = conflict
  const other = 'by' in loser && loser.by !== undefined ? loser.by : 'a deletion'
  if (resolution === 'kept-client') return { ...row, outcome: `won over ${other}`, isConflict: true }
  if (resolution === 'merged') return { ...row, outcome: `merged with ${other}`, isConflict: true }
  return row
}
